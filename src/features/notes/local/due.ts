import { plain } from './sentences.ts'

/** When something is to be done, in the words in which it was said. */
export function dueIn(text: string): string | undefined {
  const found = due.exec(plain(text))
  return found ? text.slice(found.index, found.index + found[0].length) : undefined
}

const day = '(?:mon|tues|wednes|thurs|fri|satur|sun)day'
const month =
  '(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)'
const part = '(?: (?:morning|afternoon|evening|night|noon))?'
const ordinal = '(?:\\d{1,2}(?:st|nd|rd|th)|first|second|third|[a-z]+(?:th|-first|-second|-third))'
const span = '(?:hour|day|week|weekend|month|quarter|year|sprint)'
const several = '(?:an?|one|two|three|four|five|six|ten|\\d{1,3}|a few|a couple of)'

const date = [
  `\\d{4}-\\d{2}-\\d{2}`,
  `\\d{1,2}(?:st|nd|rd|th)?(?: of)? ${month}`,
  `${month} (?:the )?\\d{1,2}(?:st|nd|rd|th)?`,
  `the ${ordinal}(?: of ${month})?`,
]
const end = `(?:the )?end of (?:the |this |next )?(?:day|${span}|${month})`
const moment = [
  end,
  'EOD|EOW|tonight|noon|midnight|lunch',
  `today|tomorrow${part}`,
  `(?:this|next|early next|late next) (?:${day}|${span}|morning|afternoon|evening)${part}`,
  `${day}${part}`,
  ...date,
  month,
  "\\d{1,2}(?::\\d{2})? ?(?:am|pm|o'clock)|\\d{1,2}:\\d{2}",
]
const noPronoun = '(?!(?:it|that|this|we|they|you|i|he|she|and|or|but)\\b)'

const due = new RegExp(
  `\\b(?:${[
    `(?:no later than|not later than|by|before|until|till|on|due) (?:${moment.join('|')})`,
    `before ${noPronoun}(?:(?:the|our|his|her|my|your) (?:next |first )?)?[\\p{L}-]+`,
    `(?:within|in) (?:the next )?${several} (?:hour|day|week|month)s?`,
    `(?:first thing|over|at|during) (?:on )?(?:the |next )?(?:${day}|tomorrow|weekend)${part}`,
    `(?:right |straight )?after (?:this|the|our) (?:call|meeting|break|weekend|lunch)|after lunch`,
    `(?:later )?today|tomorrow${part}|tonight|${end}|as soon as possible|asap|right away`,
    `(?:this|next) (?:${day}|${span}|morning|afternoon|evening)${part}`,
  ].join('|')})(?![\\p{L}\\p{N}])`,
  'iu',
)
