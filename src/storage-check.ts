import { ConfigError, processEnv, readConfig } from './config.ts'
import { LockedError } from './db/lock.ts'
import { openDatabase } from './db/open.ts'
import { checkStorage } from './features/recordings/check.ts'
import { createFiles } from './features/recordings/files.ts'

/** `npm run storage:check`: names the files that belong to nothing, and those that are missing. Changes nothing. */
async function main(): Promise<number> {
  const config = readConfig(processEnv())
  const database = await openDatabase(config.database)
  try {
    const { orphans, missing, checked } = await checkStorage(database.db, createFiles(config.storage_dir))
    for (const path of orphans) console.log(`orphan   ${path}`)
    for (const path of missing) console.log(`missing  ${path}`)
    console.log(`${checked} recordings, ${orphans.length} orphans, ${missing.length} missing`)
    return orphans.length + missing.length > 0 ? 1 : 0
  } finally {
    await database.close()
  }
}

main().then(
  code => process.exit(code),
  error => {
    console.error(error instanceof ConfigError || error instanceof LockedError ? error.message : error)
    process.exit(2)
  },
)
