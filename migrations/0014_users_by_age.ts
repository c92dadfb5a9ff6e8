import type { Knex } from 'knex'
import { addIndex, dropIndex } from '../src/db/tables.ts'

const columns = ['created_at', 'id']

export const up = (db: Knex) => addIndex(db, 'users', columns, 'users_by_age')

export const down = (db: Knex) => dropIndex(db, 'users', columns, 'users_by_age')
