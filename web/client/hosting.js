/**
 * What hosts do. Whether I am one, the server decides: what I may not is refused.
 * @param {import('./api.js').Api} api @param {string} meeting_id
 */
export function createHosting(api, meeting_id) {
  const at = `/meetings/${meeting_id}`
  /** @param {string} participant @param {string} what @param {object} [body] */
  const decide = (participant, what, body = {}) => api.call('POST', `${at}/participants/${participant}/${what}`, body)

  return {
    /** Who is in a state: waiting, inside, banned, … @param {string} state @returns {Promise<Person[]>} */
    list: async state => (await api.call('GET', `${at}/participants?state=${state}&limit=100`)).data,
    admit: (/** @type {string} */ participant) => decide(participant, 'admit'),
    deny: (/** @type {string} */ participant) => decide(participant, 'deny'),
    admitAll: () => api.call('POST', `${at}/lobby/admit-all`),
    remove: (/** @type {string} */ participant, { ban = false } = {}) => decide(participant, 'remove', { ban }),
    unban: (/** @type {string} */ participant) => decide(participant, 'unban'),
    changeRole: (/** @type {string} */ participant, /** @type {string} */ role) =>
      decide(participant, 'role', { role }),
    lock: () => api.call('POST', `${at}/lock`),
    unlock: () => api.call('POST', `${at}/unlock`),
    end: () => api.call('POST', `${at}/end`),
  }
}

/** @typedef {{ id: string, display_name: string, role: string, state: string }} Person */
