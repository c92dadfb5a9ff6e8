import { expect, it } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { whenDone } from '../support/cleanup.ts'
import { emptyDatabase } from '../support/database.ts'
import { run } from '../support/process.ts'

it('the knex command sees the migrations, runs them, and seeds twice without harm', async () => {
  const { url, drop } = await emptyDatabase()
  whenDone(drop)
  const knex = async (...args: string[]) => {
    const command = run('npx', ['knex', ...args], process.cwd(), { DATABASE_URL: url, HOME: process.env.HOME })
    expect(await command.ended, command.output()).toEqual({ code: 0, signal: null })
    return command.output()
  }
  const count = Object.keys(migrations).length
  expect(await knex('migrate:status')).toContain(`Found ${count} Pending Migration`)
  await knex('migrate:latest')
  expect(await knex('migrate:status')).toContain(`Found ${count} Completed Migration`)
  await knex('seed:run')
  await knex('seed:run')
  await knex('migrate:rollback', '--all')
}, 60_000)
