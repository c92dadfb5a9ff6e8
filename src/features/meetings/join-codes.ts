import { randomBytes } from 'node:crypto'

const letters = '0123456789abcdefghjkmnpqrstvwxyz' // without i, l, o and u: no two of these are taken for each other

/** 80 random bits as 16 letters that can be read out over a telephone. */
export const newJoinCode = (): string => Array.from(randomBytes(16), byte => letters[byte % 32]).join('')
