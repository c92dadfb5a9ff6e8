import { expect, it } from 'vitest'
import { createPasswords } from '../../src/features/accounts/passwords.ts'
import { Problem } from '../../src/kernel/problem.ts'

const passwords = createPasswords()

it('hashes with the parameters that were chosen, each time with another salt', async () => {
  const [one, other] = await Promise.all([passwords.hash('secret'), passwords.hash('secret')])
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(other).not.toBe(one)
  expect(await passwords.matches(one, 'secret')).toBe(true)
  expect(await passwords.matches(one, 'Secret')).toBe(false)
})

it('matches nothing where there is no hash', async () => {
  expect(await passwords.matches(undefined, 'secret')).toBe(false)
})

it('lets two work and a hundred wait, and tells the others that it is busy', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 110 }, () => passwords.hash('secret')))
  const refused = outcomes.filter(outcome => outcome.status === 'rejected')
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(102)
  expect(refused).toHaveLength(8)
  for (const { reason } of refused) expect(reason).toBeInstanceOf(Problem)
  expect(await passwords.hash('afterwards')).toBeTruthy()
})
