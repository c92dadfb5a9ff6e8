import { IANAZone } from 'luxon'
import { z } from 'zod'
import type { IdPrefix } from './ids.ts'

/** The pieces that schemas are built of. Requests use `z.strictObject`, so that a typo is never silently lost. */

/** Opaque to clients; a text that names nothing is simply not found. */
export const Id = z
  .string()
  .min(1)
  .max(64)
  .meta({ examples: ['usr_019a9f0b7c3e7d5ea0c4b81f2d6e9a37'] })

/** An id of that kind, for who reads the docs; to us one text is as opaque as another. */
export const idOf = (prefix: IdPrefix) => Id.meta({ examples: [`${prefix}_019a9f0b7c3e7d5ea0c4b81f2d6e9a37`] })

export const Instant = z.iso.datetime({ precision: 3 }).meta({
  description: 'UTC with milliseconds',
  examples: ['2026-01-31T09:30:00.000Z'],
})

/** Lower-cased at the door, so that the unique index sees one spelling. */
export const Email = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.email().max(254))
  .meta({ format: 'email', maxLength: 254, examples: ['ada@example.com'] })

/** One line that a person reads: any script, but no control characters. */
export const oneLine = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u, 'must be one line without control characters')

/** Text of several lines. */
export const paragraphs = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(/^[\P{Cc}\n\r\t]*$/u, 'must not have control characters other than line breaks and tabs')

/** An instant in any offset, as a query may give it. */
export const AnyInstant = z.iso
  .datetime({ offset: true })
  .transform(text => new Date(text).toISOString())
  .meta({ examples: ['2026-01-31T09:30:00Z'] })

/** A time as a person gives it: with an offset, or as it is on the wall in the time zone of the matter. */
export const TimeText = z
  .string()
  .max(40)
  .meta({ examples: ['2099-03-29T09:00:00+02:00', '2099-03-29T09:00'] })

export const TimeZone = z
  .string()
  .max(64)
  .regex(/^[A-Z]/, 'must be a name, such as Europe/Berlin') // newer engines take offsets, too; older ones do not
  .refine(zone => IANAZone.isValidZone(zone), 'must be an IANA time zone, such as Europe/Berlin')
  .meta({ examples: ['Europe/Berlin'] })

/** What must not be stored or logged as it is: a password, a token. */
export const Secret = z.string().meta({ format: 'password' })

/** Rises by one with every change of the thing; its ETag is this number in quotes. */
export const Version = z.int().min(1)

/** The query of a list. */
export const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(1024).optional().meta({ description: 'The `next_cursor` of the page before' }),
})
export type Page = z.infer<typeof Page>

/** The answer of a list. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() })
