import { processEnv, readDatabase } from './src/config.ts'
import { writerConfig } from './src/db/engines.ts'
import { migrationSource } from './src/db/migrate.ts'

/** For the knex command alone; the server migrates by itself when it starts. */
export default {
  ...writerConfig(readDatabase(processEnv())),
  migrations: { migrationSource },
  seeds: { directory: 'seeds', loadExtensions: ['.ts'] },
}
