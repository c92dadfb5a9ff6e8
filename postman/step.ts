/** How the story is written down: who asks for what, and what has to come of it. */

export interface Chapter {
  name: string
  /** What it tells, for who opens the folder. */
  says: string
  steps: Step[]
}

/**
 * One request. Its method, path and description come from the OpenAPI document; `{{name}}` is a variable, in scripts as
 * well as everywhere else. Expressions are in JavaScript, and know `answer`, the JSON that came, and `body`, the text.
 */
export interface Step {
  /** What happens, in the words of the story; no two are alike. */
  name: string
  /** As the document has it: `POST /api/meetings/{meeting_id}/join`. */
  operation: string
  /** Whose token is shown. Nobody's, if left out. */
  as?: 'owner' | 'invitee' | 'guest'
  /** What is to be said besides the description of the operation. */
  note?: string
  /** Of the parameters in the path, those that are not the variable of their name. */
  path?: Texts
  query?: Texts
  headers?: Texts
  /** A value is sent as JSON, a text as it is. */
  body?: object | string
  /** Variables that are set before the request. */
  before?: Texts
  status: number
  /** What the tests talk about: a name, and the expression that it stands for. */
  where?: Texts
  /** A sentence, and the expectation that it stands for. */
  tests?: Texts
  /** Variables for later steps: a name, and the expression that it is set to. */
  keep?: Texts
  /** While this is so, the request is made again: ten times a second at most, and a hundred times. */
  again?: string
}

export interface Texts {
  [name: string]: string
}

/** A variable that is a number where it stands in JSON. */
export const number = (variable: string): string => `#{{${variable}}}`
