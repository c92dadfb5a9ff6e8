import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { orNotRun } from '../crash/not-run.ts'
import { type Account, accountsAt, newAddress, password } from './accounts.ts'
import { evil, filmed, held, inHours, proposed } from './meetings.ts'
import { browsers, launch } from './pages.ts'
import { startParley } from './server.ts'
import { barriers, overflow, type Visitor, visitor } from './visitor.ts'

/** The pages of meetings: each of them by people in browsers, under the policy that the server sends. */

let browser: Browser
let parley: Awaited<ReturnType<typeof startParley>>

beforeAll(async () => {
  if ('cannot' in browsers()) return
  browser = await launch()
  parley = await startParley()
})
beforeEach(context => orNotRun(context, browsers()))
afterAll(async () => {
  await browser?.close()
  await parley?.end()
})

const account = (name: string) => accountsAt(parley.origin).register(name)

/** Somebody on a page, signed in where an account is given. */
const visit = (path: string, as?: Account, options: BrowserContextOptions = {}): Promise<Visitor> =>
  visitor(browser, parley.origin, path, {
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...(as ? { script: as.script } : {}),
    ...options,
  })

const close = (...visits: Visitor[]) => Promise.all(visits.map(({ close }) => close()))
const notice = ({ page }: Visitor) => expect.poll(() => page.locator('#notice').textContent())
const press = ({ page }: Visitor, name: string | RegExp) => page.getByRole('button', { name }).click()
/** What a field takes, in Berlin. */
const asLocal = (instant: string) =>
  new Date(instant).toLocaleString('sv-SE', { timeZone: 'Europe/Berlin' }).replace(' ', 'T').slice(0, 16)

async function letterTo(address: string): Promise<string> {
  let text: string | undefined
  const look = async () => {
    for (const file of existsSync(parley.outbox) ? readdirSync(parley.outbox) : []) {
      if (!file.endsWith('.eml')) continue
      const letter = await PostalMime.parse(readFileSync(join(parley.outbox, file)))
      if (letter.to?.some(to => to.address === address)) text = letter.text
    }
    return text
  }
  await expect.poll(look).toBeDefined()
  return text ?? ''
}

/** Where the link in their letter leads. */
async function pathIn(address: string): Promise<string> {
  const [, path = ''] = /http:\/\/[^/]+(\/\S+)/.exec(await letterTo(address)) ?? []
  return path
}

interface Player {
  currentTime: number
  currentSrc: string
  videoWidth: number
}

describe('My meetings', () => {
  it('take somebody from an account to a meeting, and to an answer', async () => {
    const bob = await account('Bob')
    const ada = await visit('/sign-in#register')
    const { page } = ada
    const email = newAddress()
    await page.getByLabel('Your name').fill(`Ada ${evil}`)
    await page.locator('#register').getByLabel('E-mail address').fill(email)
    await page.locator('#register').getByLabel('Password').fill(password)
    await press(ada, 'Make the account')
    await page.waitForURL('**/meetings')
    await expect.poll(() => page.locator('#welcome').textContent()).toContain('You have no meetings yet')

    await page.getByLabel('Title').fill(`Tea ${evil}`)
    const at = inHours(26)
    await page.getByLabel('When; empty is now').fill(asLocal(at))
    await press(ada, 'Make the meeting')
    await page.waitForURL('**/meeting?id=*')
    await expect.poll(() => page.locator('h1').textContent()).toBe(`Tea ${evil}`)
    expect(await page.locator('#head time').first().getAttribute('datetime')).toBe(at)
    await page.getByLabel('Mail addresses').fill(bob.email)
    await page.getByLabel('A few words').fill(`Come! ${evil}`)
    await press(ada, 'Invite')
    await expect
      .poll(() => page.locator('#people li').allTextContents())
      .toEqual([expect.stringMatching(/Bob.*Has not answered/s)])

    const asked = await visit('/meetings', bob)
    const invitation = asked.page.locator('#invitations li')
    await expect.poll(() => invitation.textContent()).toContain(`by Ada ${evil}`)
    expect(await invitation.textContent()).toContain(`Come! ${evil}`)
    await invitation.getByText('Propose another time').click()
    await invitation.getByLabel('When').fill(asLocal(inHours(29)))
    await invitation.getByLabel('Why').fill(`School ${evil}`)
    await press(asked, 'Propose this time')
    await notice(asked).toContain('You have proposed another time')
    await expect.poll(() => invitation.textContent()).toContain('You proposed another time')

    await page.reload()
    await expect.poll(() => page.locator('#proposals li').textContent()).toContain('3 hours later')
    expect(await page.locator('#proposals li').textContent()).toContain(`School ${evil}`)
    await press(ada, 'Decline what Bob proposes')
    await expect.poll(() => page.locator('#proposals').isHidden()).toBe(true)
    await asked.page.reload()
    await expect.poll(() => invitation.textContent()).toContain('Waits for your answer')
    await invitation.getByLabel('A note').fill('Sorry')
    await press(asked, 'Decline')
    await notice(asked).toBe('You have declined.')
    await page.reload()
    await expect.poll(() => page.locator('#people li').textContent()).toMatch(/Sorry.*Does not come/s)

    for (const visit of [ada, asked]) expect(await visit.page.locator('img').count()).toBe(0)
    expect([...ada.complaints, ...asked.complaints]).toEqual([])
    await close(ada, asked)
  })

  it('lead into a meeting by its code', async () => {
    const owner = await account('Ada')
    const { join_code } = await owner.call('POST', '/meetings', { title: 'Tea' })
    const guest = await visit('/meetings', await account('Bob'))
    await guest.page.getByLabel('The code that you were given').fill(join_code)
    await guest.page.locator('#by-code').getByRole('button').click()
    await guest.page.waitForURL(`**/?code=${join_code}`)
    await close(guest)
  })

  it('are a page after another, live ones first', async () => {
    const owner = await account('Ada')
    for (let i = 1; i <= 23; i++) {
      const { id } = await owner.call('POST', '/meetings', { title: `Past ${i}` })
      await owner.call('POST', `/meetings/${id}/end`)
    }
    await owner.call('POST', '/meetings', { title: 'Later', scheduled_at: inHours(3) })
    await owner.call('POST', '/meetings', { title: 'Series', scheduled_at: inHours(2), recurrence: 'FREQ=WEEKLY' })
    await owner.call('POST', '/meetings', { title: 'Now' })
    const mine = await visit('/meetings', owner)
    const titles = (id: string) => mine.page.locator(`#${id} h3`).allTextContents()
    await expect.poll(() => titles('ahead')).toEqual(['Now', 'Series', 'Later'])
    expect(await mine.page.getByRole('link', { name: 'Join Now' }).getAttribute('href')).toMatch(/^\/\?meeting=mtg_/)
    await expect.poll(async () => (await titles('past')).length).toBeGreaterThan(0)
    expect((await titles('past'))[0]).toBe('Past 23')
    await press(mine, 'Show more')
    await expect.poll(async () => (await titles('past')).length).toBe(23)
    expect(await mine.page.getByRole('button', { name: 'Show more' }).isVisible()).toBe(false)
    expect(mine.complaints).toEqual([])
    await close(mine)
  })
})

describe('A meeting', () => {
  it('shows its owner what two propose side by side, and moves to the time of one', async () => {
    const [owner, bob, carl] = [await account('Ada'), await account('Bob'), await account(`Carl ${evil}`)]
    const { id } = await proposed(owner, [bob, carl])
    const ada = await visit(`/meeting?id=${id}`, owner, { viewport: { width: 1440, height: 900 } })
    const { page } = ada
    const cards = page.locator('#proposals li')
    await expect.poll(() => cards.count()).toBe(2)
    const [left, right] = [await cards.nth(0).boundingBox(), await cards.nth(1).boundingBox()]
    expect(left?.y).toBe(right?.y)
    const texts = (await cards.allTextContents()).join()
    expect(texts).toContain('2 hours later, 15 minutes shorter')
    expect(texts).toContain('3 hours later, 15 minutes shorter')
    expect(texts).toContain(evil)
    await press(ada, 'Accept what Bob proposes')
    await expect.poll(() => page.locator('#proposals').isHidden()).toBe(true)
    await expect.poll(() => page.locator('#head time').first().getAttribute('datetime')).toBe(inHours(28))
    const answers = (await page.locator('#people li').allTextContents()).sort()
    expect(answers).toEqual([
      expect.stringMatching(/^Bob.*Comes/s),
      expect.stringMatching(/^Carl <img.*Has not answered/s),
    ])
    expect(await page.locator('img').count()).toBe(0)
    expect(ada.complaints).toEqual([])
    await close(ada)
  })

  it('is changed, locked, called off and deleted by its owner', async () => {
    const owner = await account('Ada')
    const { id } = await owner.call('POST', '/meetings', { title: 'Tea', scheduled_at: inHours(26) })
    const ada = await visit(`/meeting?id=${id}`, owner)
    const { page } = ada
    await press(ada, 'Change')
    await page.getByRole('dialog').getByLabel('Title').fill('Coffee')
    await page.getByRole('dialog').getByLabel('When').fill('2020-01-01T10:00')
    await press(ada, 'Save')
    await expect.poll(() => page.getByRole('dialog').getByRole('alert').textContent()).toContain('must lie ahead')
    await page
      .getByRole('dialog')
      .getByLabel('When')
      .fill(asLocal(inHours(30)))
    await press(ada, 'Save')
    await expect.poll(() => page.locator('h1').textContent()).toBe('Coffee')
    expect(await page.locator('#head time').first().getAttribute('datetime')).toBe(inHours(30))
    await press(ada, 'Lock')
    await notice(ada).toBe('Locked: nobody new comes in.')
    await press(ada, 'Unlock')
    await notice(ada).toContain('Unlocked')
    const saving = page.waitForEvent('download')
    await press(ada, 'Calendar file')
    expect((await saving).suggestedFilename()).toBe('Coffee.ics')
    await press(ada, 'Cancel')
    await press(ada, 'Cancel it')
    await expect.poll(() => page.locator('#head .badge').first().textContent()).toBe('Cancelled')
    await press(ada, 'Delete')
    await press(ada, 'No, go back')
    await press(ada, 'Delete')
    await press(ada, 'Delete it')
    await page.waitForURL('**/meetings')
    expect(ada.complaints.filter(text => !text.includes('422'))).toEqual([])
    await close(ada)
  })

  it('shows what it has left behind, and where each key point was said', async () => {
    const [owner, bob] = [await account('Ada'), await account(`Bob ${evil}`)]
    const { id } = await held(owner, bob, 'Launch')
    const ada = await visit(`/meeting?id=${id}`, owner)
    const { page } = ada
    await expect.poll(() => page.locator('#transcript li').count()).toBe(3)
    await expect.poll(() => page.locator('#chat li').count()).toBe(1)
    await expect.poll(() => page.locator('#notes h3').allTextContents()).toContain('Key points')
    await page.locator('#notes ul button').first().click()
    await expect.poll(() => page.locator('.cited').count()).toBe(1)
    expect(await page.locator('.cited').evaluate(line => line === line.ownerDocument.activeElement)).toBe(true)

    await page.getByText('Edit the summary').click()
    await page.getByLabel('Summary').fill(`In short: ${evil}`)
    await press(ada, 'Save as a new version')
    await expect.poll(() => page.locator('#notes .words').textContent()).toBe(`In short: ${evil}`)
    const versions = await page.getByLabel('Version').locator('option').allTextContents()
    expect(versions).toEqual([expect.stringContaining('edited from 1 (the latest)'), expect.stringMatching(/^1 of/)])
    await page.getByLabel('Version').selectOption('1')
    await expect.poll(() => page.locator('#notes .words').textContent()).not.toContain('In short')

    await press(ada, /^Read the recording/)
    await expect.poll(() => page.locator('#recordings pre').textContent()).toContain(evil)
    expect(await page.locator('#recordings').textContent()).toContain('Mocked')
    const saving = page.waitForEvent('download')
    await press(ada, /^Download the recording/)
    await (await saving).path()
    await page.locator('#recordings').getByLabel('For').selectOption('participants')
    await notice(ada).toBe('Whoever was there may see it.')
    for (const name of ['VTT', 'SRT', 'Download as CSV']) {
      const saving = page.waitForEvent('download')
      await press(ada, name)
      await (await saving).path()
    }
    expect(await page.locator('#attendance svg .bar').count()).toBe(1)
    expect(await page.locator('#attendance svg .gap').count()).toBe(6)
    expect(await page.locator('#attendance .scroll tbody tr').count()).toBe(2)

    const other = await visit(`/meeting?id=${id}`, bob)
    await expect.poll(() => other.page.locator('#notes .words').textContent()).toBe(`In short: ${evil}`)
    await expect.poll(() => other.page.locator('#recordings li').count()).toBe(1)
    await press(other, /^Read the recording/)
    await expect.poll(() => other.page.locator('#recordings pre').textContent()).toContain('Ada')
    for (const hidden of ['people', 'attendance', 'proposals'])
      expect(await other.page.locator(`#${hidden}`).isHidden()).toBe(true)
    expect(await other.page.getByRole('button', { name: 'Delete' }).count()).toBe(0)

    await page.locator('#recordings').getByRole('button', { name: 'Delete' }).click()
    await press(ada, 'Delete it')
    await notice(ada).toBe('The recording is deleted.')
    expect(await page.locator('#recordings').isHidden()).toBe(true)
    expect(await page.locator('img').count()).toBe(0)
    expect(ada.complaints).toEqual([])
    expect(other.complaints.filter(text => !text.includes('403'))).toEqual([])
    await close(ada, other)
  })

  it('plays what was recorded: to a host by a link, piece by piece, and to who was there as a whole', async () => {
    const [owner, bob] = [await account('Ada'), await account('Bob')]
    const id = await filmed(owner, bob)
    const ada = await visit(`/meeting?id=${id}`, owner)
    const other = await visit(`/meeting?id=${id}`, bob)
    for (const [who, source] of [
      [ada, /^http.*\/recordings\/\S+/],
      [other, /^blob:/],
    ] as const) {
      await press(who, /^Play the recording/)
      const video = who.page.locator('#recordings video')
      await expect.poll(() => video.evaluate(player => (player as unknown as Player).currentTime)).toBeGreaterThan(0.5)
      expect(await video.evaluate(player => (player as unknown as Player).currentSrc)).toMatch(source)
      expect(await video.evaluate(player => (player as unknown as Player).videoWidth)).toBe(160)
    }
    expect(ada.complaints).toEqual([])
    expect(other.complaints.filter(text => !text.includes('403'))).toEqual([])
    await close(ada, other)
  })
})

describe('The link of a mail', () => {
  async function invited(title = `Tea ${evil}`) {
    const owner = await account(`Ada ${evil}`)
    const email = newAddress()
    const { id } = await owner.call('POST', '/meetings', { title, scheduled_at: inHours(26) })
    await owner.call('POST', `/meetings/${id}/invitations`, { invitees: [{ email }], message: `Come! ${evil}` })
    return { owner, id, path: await pathIn(email) }
  }

  it('leads to an answer without an account, and to the door', async () => {
    const { owner, id, path } = await invited()
    const guest = await visit(path)
    const { page } = guest
    await expect.poll(() => page.locator('#invitation').textContent()).toContain(`Ada ${evil} invites you`)
    expect(page.url()).toBe(`${parley.origin}/invitation`)
    await page.getByText('Propose another time').click()
    await page.getByLabel('When').fill(asLocal(inHours(29)))
    await press(guest, 'Propose this time')
    await expect.poll(() => page.locator('#invitation').textContent()).toContain('You proposed another time')
    await press(guest, 'Decline')
    await notice(guest).toBe('You have declined.')
    await page.reload()
    await page.getByLabel('Your name').fill('Gustav')
    await press(guest, 'Accept')
    await notice(guest).toBe('You have accepted.')
    await press(guest, 'Join')
    await page.waitForURL(`**/?meeting=${id}`)
    const kept = JSON.parse(await page.evaluate(`sessionStorage.getItem('parley.guest')`))
    expect(kept).toEqual({ meeting_id: id, participant_token: expect.any(String), display_name: 'Gustav' })
    expect((await accountsAt(parley.origin).call(kept.participant_token, 'GET', `/meetings/${id}`)).id).toBe(id)
    const { data } = await owner.call('GET', `/meetings/${id}/invitations`)
    expect(data).toMatchObject([{ status: 'accepted' }])
    expect(await page.locator('img').count()).toBe(0)
    expect(guest.complaints.filter(text => !text.includes('/?meeting'))).toEqual([])
    await close(guest)
  })

  it('makes the invitation theirs who is signed in, and then asks others to sign in', async () => {
    const { path } = await invited('Tea')
    const bob = await visit(path, await account('Bob'))
    await press(bob, 'Accept')
    await expect.poll(() => bob.page.getByRole('link', { name: 'Join' }).count()).toBe(1)
    const anybody = await visit(path)
    await expect.poll(() => anybody.page.locator('#invitation .badge').textContent()).toBe('You come')
    await press(anybody, 'Join')
    await expect.poll(() => anybody.page.getByRole('link', { name: 'Sign in to join' }).count()).toBe(1)
    expect([...bob.complaints, ...anybody.complaints]).toEqual([])
    await close(bob, anybody)
  })

  it('says so when it is no good, or is none', async () => {
    const nobody = await visit('/invitation')
    await expect.poll(() => nobody.page.locator('#invitation').textContent()).toContain('by the link of the mail')
    const { owner, id, path } = await invited('Tea')
    await owner.call('DELETE', `/meetings/${id}`)
    await nobody.page.goto(`${parley.origin}${path}`)
    await expect.poll(() => nobody.page.locator('#invitation').textContent()).toContain('not good any more')
    await close(nobody)
  })
})

describe('Each page', () => {
  let pages: ReturnType<typeof listPages> | undefined

  /** What is to be seen on each of them once it is loaded. */
  async function listPages() {
    const [owner, bob, carl] = [await account('Ada'), await account('Bob'), await account('Carl')]
    const past = await held(owner, bob, 'Launch')
    const plan = await proposed(owner, [bob, carl])
    const email = newAddress()
    await owner.call('POST', `/meetings/${plan.id}/invitations`, { invitees: [{ email }] })
    const planned = `/meeting?id=${plan.id}`
    return [
      { name: 'empty', path: '/meetings', as: await account('Dora'), shown: '#welcome li' },
      { name: 'meetings', path: '/meetings', as: bob, shown: '#past li' },
      { name: 'planned', path: planned, as: owner, shown: '#proposals li' },
      { name: 'change', path: planned, as: owner, shown: 'dialog form', opened: 'Change' },
      { name: 'cancel', path: planned, as: owner, shown: 'dialog', opened: 'Cancel' },
      { name: 'held', path: `/meeting?id=${past.id}`, as: owner, shown: '#notes h3' },
      { name: 'invitation', path: await pathIn(email), as: undefined, shown: '#invitation form' },
      { name: 'sign-in', path: '/sign-in', as: undefined, shown: '#sign-in' },
    ]
  }

  it.each([
    [390, 844, 'light'],
    [390, 844, 'dark'],
    [1440, 900, 'light'],
    [1440, 900, 'dark'],
  ] as const)(
    'fits a window of %i by %i, %s, and nothing serious is in anybody’s way',
    async (width, height, colorScheme) => {
      pages ??= listPages()
      for (const { name, path, as, shown, opened } of await pages) {
        const seen = await visit(path, as, { viewport: { width, height }, colorScheme, bypassCSP: true })
        const { page } = seen
        if (opened) await press(seen, opened)
        await expect.poll(() => page.locator(shown).count(), { message: name }).toBeGreaterThan(0)
        await expect.poll(() => page.locator('[aria-busy]').count(), { message: name }).toBe(0)
        if (!opened) for (const summary of await page.locator('summary').all()) await summary.click()
        expect(await overflow(page), name).toBeLessThanOrEqual(0)
        if (process.env.SHOTS) {
          const file = `${process.env.SHOTS}/${name}-${width}-${colorScheme}.png`
          await page.screenshot({ path: file, fullPage: !opened })
        }
        expect(await barriers(page), name).toEqual([])
        expect(seen.complaints, name).toEqual([])
        await close(seen)
      }
    },
  )
})
