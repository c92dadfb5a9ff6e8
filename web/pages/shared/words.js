/** What the server says in one word, as people say it. */

/** @type {{ [status: string]: string }} */
export const meetingWords = { scheduled: 'Planned', live: 'Live now', ended: 'Ended', cancelled: 'Cancelled' }

/** @type {{ [type: string]: string }} */
export const typeWords = {
  group: 'Group: everybody speaks',
  individual: 'Individual: two people',
  webinar: 'Webinar: hosts speak, everybody may write',
  broadcast: 'Broadcast: hosts speak and write',
}

/** @type {{ [role: string]: string }} */
export const roleWords = { host: 'Host', co_host: 'Co-host', participant: 'Participant', viewer: 'Viewer' }

/** As the one who is invited reads it. @type {{ [status: string]: string }} */
export const myAnswerWords = {
  pending: 'Waits for your answer',
  accepted: 'You come',
  rejected: 'You do not come',
  proposed: 'You proposed another time',
}

/** As the host reads it. @type {{ [status: string]: string }} */
export const answerWords = {
  pending: 'Has not answered',
  accepted: 'Comes',
  rejected: 'Does not come',
  proposed: 'Proposes another time',
  withdrawn: 'Withdrawn',
}

export const rules = [
  ['', 'Never'],
  ['FREQ=DAILY', 'Daily'],
  ['FREQ=WEEKLY', 'Weekly'],
  ['FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR', 'Every weekday'],
  ['FREQ=MONTHLY', 'Monthly'],
]

/** @param {string} rule */
export const ruleWords = rule => rules.find(([known]) => known === rule)?.[1] ?? `Repeats (${rule})`

/** @param {number} count @param {string} one */
export const count = (count, one) => `${count} ${one}${count === 1 ? '' : 's'}`

/** 1 day and 2 hours; 45 minutes. @param {number} minutes */
export function minutesInWords(minutes) {
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, Math.round(minutes % 60)]
  const parts = [days && count(days, 'day'), hours && count(hours, 'hour'), rest && count(rest, 'minute')]
  return parts.filter(part => part !== 0).join(' and ') || '0 minutes'
}
