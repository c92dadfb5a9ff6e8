import { writeFileSync } from 'node:fs'
import { collectionOf, environmentOf, fileOf } from './collection.ts'
import { readDocument } from './document.ts'
import { environment, story } from './story.ts'

/** `npm run build:postman`: writes the files that Postman imports. A test fails when they are not what this makes. */

const write = (name: string, made: object) => writeFileSync(new URL(name, import.meta.url), fileOf(made))

write('parley.postman_collection.json', collectionOf(story, readDocument()))
write('parley.postman_environment.json', environmentOf(environment))
