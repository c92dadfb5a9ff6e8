import { z } from 'zod'

export const IceServer = z
  .object({
    urls: z.array(z.string()),
    username: z.string().optional(),
    credential: z.string().optional(),
  })
  .meta({ id: 'IceServer' })
export type IceServer = z.infer<typeof IceServer>

export const Media = z
  .object({
    provider: z.string(),
    topology: z.literal('mesh').meta({ description: 'Every browser connects to every other' }),
  })
  .meta({ id: 'Media' })
export type Media = z.infer<typeof Media>
