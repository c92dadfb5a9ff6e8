import type { Chapter } from '../step.ts'

const tomorrow = "new Date(Date.now() + 24 * 3600 * 1000).toISOString().slice(0, 11) + '09:00:00.000Z'"
const dayAfter = "new Date(Date.now() + 48 * 3600 * 1000).toISOString().slice(0, 11) + '14:00:00.000Z'"

export const accounts: Chapter = {
  name: '1 · Two accounts',
  says: 'Ada owns the meeting, Ben will be invited. Each run makes accounts of its own, so it can be repeated.',
  steps: [
    {
      name: 'Ada registers',
      operation: 'POST /api/auth/register',
      note: 'The access token goes into `Authorization: Bearer` and is good for `expires_in` seconds.',
      before: { run: 'Date.now().toString(36)', starts_at: tomorrow, other_time: dayAfter },
      body: {
        email: 'ada.{{run}}@{{mail_domain}}',
        name: '{{owner_name}}',
        password: '{{password}}',
        time_zone: 'Europe/Berlin',
      },
      status: 201,
      tests: {
        'her name is hers': 'pm.expect(answer.user.name).to.eql({{owner_name}})',
        'the token is a bearer that expires': "pm.expect(answer).to.include({ token_type: 'Bearer' })",
        'the password is not told': "pm.expect(body).not.to.include('password')",
      },
      keep: {
        owner_id: 'answer.user.id',
        owner_token: 'answer.access_token',
        owner_refresh_token: 'answer.refresh_token',
      },
    },
    {
      name: 'Ben registers',
      operation: 'POST /api/auth/register',
      note: 'Nothing has to be confirmed before an account can be used, but an address counts as proved only once it is.',
      body: { email: 'ben.{{run}}@{{mail_domain}}', name: '{{invitee_name}}', password: '{{password}}' },
      status: 201,
      tests: { 'he is somebody else': 'pm.expect(answer.user.id).not.to.eql({{owner_id}})' },
      keep: { invitee_id: 'answer.user.id', invitee_token: 'answer.access_token' },
    },
    {
      name: 'Ben’s address is taken now',
      operation: 'POST /api/auth/register',
      note: 'Every failure is `application/problem+json`: switch on its `code`, which never changes.',
      body: { email: 'BEN.{{run}}@{{mail_domain}}', name: 'Another Ben', password: '{{password}}' },
      status: 409,
      tests: { 'the code says why': "pm.expect(answer.code).to.eql('email_taken')" },
    },
    {
      name: 'Ada’s tokens are renewed',
      operation: 'POST /api/auth/refresh',
      note: 'Keep the new refresh token in the place of the old one.',
      body: { refresh_token: '{{owner_refresh_token}}' },
      status: 200,
      tests: { 'the refresh token is another': 'pm.expect(answer.refresh_token).not.to.eql({{owner_refresh_token}})' },
      keep: { owner_token: 'answer.access_token', owner_refresh_token: 'answer.refresh_token' },
    },
    {
      name: 'Ada reads her account',
      operation: 'GET /api/auth/me',
      as: 'owner',
      note: 'A cheap way to find out whether a token still stands.',
      status: 200,
      tests: {
        'it is hers': 'pm.expect(answer.id).to.eql({{owner_id}})',
        'it can be cached': "pm.expect(pm.response.headers.get('ETag')).to.be.a('string')",
      },
    },
  ],
}
