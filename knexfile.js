// The knex command reads JavaScript; tsx lets it read ours, on Node 20 as well.
import { register } from 'tsx/esm/api'

register()
export default (await import('./knexfile.ts')).default
