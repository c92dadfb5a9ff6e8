import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder that `dist/` is in. */
    build: string
  }
}

/** Builds the server once, apart from `dist/`: a hundred starts of the sources would take minutes longer. */
export default function build({ provide }: Pick<TestProject, 'provide'>): () => void {
  const root = process.cwd()
  const folder = mkdtempSync(join(tmpdir(), 'parley-build-'))
  for (const name of ['package.json', 'web', 'node_modules']) symlinkSync(join(root, name), join(folder, name))
  const args = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', join(folder, 'dist')]
  execFileSync(join(root, 'node_modules/.bin/tsc'), args, { stdio: 'inherit' })
  provide('build', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
