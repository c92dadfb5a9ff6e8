import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, ConfigError } from './config.ts'

/**
 * The key that signs access tokens. Production brings its own (config insists); elsewhere one is made at the first
 * start and kept in `storage/`, for this user's eyes only.
 */
export function signingKey({ jwt_secret, storage_dir }: Pick<Config, 'jwt_secret' | 'storage_dir'>): KeyObject {
  return createSecretKey(Buffer.from(jwt_secret ?? keptSecret(storage_dir)))
}

/** Written whole under another name and then linked: a reader never sees half of it, and the first of two wins. */
function keptSecret(storageDir: string): string {
  const file = join(storageDir, 'jwt-secret')
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, randomBytes(48).toString('base64url'), { mode: 0o600, flush: true })
  try {
    linkSync(mine, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(mine)
  }
  const secret = readFileSync(file, 'utf8')
  if (secret.length < 32) throw new ConfigError(`${file}: is damaged; delete it, and everybody logs in again`)
  return secret
}
