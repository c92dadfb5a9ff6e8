import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { orNotRun } from '../crash/not-run.ts'
import { emptyFolder } from '../support/process.ts'
import { accountsAt } from './accounts.ts'
import { cableTo } from './cut.ts'
import { browsers, launch } from './pages.ts'
import { startParley } from './server.ts'
import { barriers, overflow, untilItSays, type Visitor, visitor } from './visitor.ts'

let browser: Browser
let parley: Awaited<ReturnType<typeof startParley>>

beforeEach(context => orNotRun(context, browsers()))
beforeAll(async () => {
  if ('cannot' in browsers()) return
  browser = await launch()
  parley = await startParley()
})
afterAll(async () => {
  await browser?.close()
  await parley?.end()
})

afterEach(async () => {
  await Promise.all((browser?.contexts() ?? []).map(context => context.close()))
})

const visit = (path: string, options: object = {}): Promise<Visitor> => visitor(browser, parley.origin, path, options)

const tiles = (page: Page) => page.locator('#tiles li')
const others = (page: Page) => page.locator('#tiles li:not(.me)')
const notice = (page: Page) => page.locator('#notice')
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true }).click()
const enter = (page: Page) => press(page, 'Enter')
const untilThereAre = (count: number, ...pages: Page[]) =>
  Promise.all(pages.map(page => expect.poll(() => tiles(page).count(), { timeout: 20_000 }).toBe(count)))

/** Their picture goes on. */
async function untilItMoves(page: Page): Promise<void> {
  await expect.poll(() => page.locator('#tiles .state:not([hidden])').count(), { timeout: 20_000 }).toBe(0)
  const time = () =>
    others(page)
      .locator('video')
      .first()
      .evaluate(video => Number(Reflect.get(video, 'currentTime')))
  const before = await time()
  await expect.poll(time, { timeout: 10_000 }).toBeGreaterThan(before)
}

/** Somebody with an account, before the door of a meeting. */
async function signedIn({ email, password }: { email: string; password: string }, path: string): Promise<Visitor> {
  const somebody = await visit(`/sign-in?${new URLSearchParams({ next: path })}`)
  await somebody.page.locator('#sign-in').getByLabel('E-mail address').fill(email)
  await somebody.page.locator('#sign-in').getByLabel('Password').fill(password)
  await press(somebody.page, 'Sign in')
  await somebody.page.getByRole('button', { name: 'Enter' }).waitFor()
  return somebody
}

async function heldMeeting(body: object = {}) {
  const owner = await accountsAt(parley.origin).register('Olive Owner')
  const meeting = await owner.call('POST', '/meetings', { title: 'Plans', ...body })
  const host = await signedIn(owner, `/?meeting=${meeting.id}`)
  await enter(host.page)
  await untilThereAre(1, host.page)
  return { owner, meeting, host }
}

async function knock(join_code: string, name: string): Promise<Visitor> {
  const guest = await visit(`/?code=${join_code}`)
  await guest.page.getByLabel('Your name').fill(name)
  await enter(guest.page)
  return guest
}

/** What a browser says of a refusal is not of our making: who is out is told so by a 403 or a 410. */
const noComplaints = async (...all: Visitor[]) => {
  const refusal = /^Failed to load resource: .* 4(03|10) /
  expect(all.flatMap(({ complaints }) => complaints).filter(text => !refusal.test(text))).toEqual([])
  await Promise.all(all.map(({ close }) => close()))
}

describe('A quick room', () => {
  it('lets two people see each other, write, and leave; nobody’s words are markup', async () => {
    const ada = await visit('/?room=tea&name=Ada')
    const bob = await visit('/')
    await enter(ada.page)
    await bob.page.getByLabel('Your name').fill('<img src=x onerror=alert(1)>')
    await bob.page.getByLabel('Room').fill('Tea')
    await enter(bob.page)
    await untilThereAre(2, ada.page, bob.page)
    for (const { page } of [ada, bob]) await untilItMoves(page)
    await untilItSays(others(ada.page).locator('.name'), '<img src=x onerror=alert(1)>')
    await untilItSays(ada.page.locator('#badge'), 'tea')

    await bob.page.getByLabel('Write a message').fill('<script>alert(1)</script>')
    await press(bob.page, 'Send')
    await untilItSays(ada.page.locator('#messages li'), '<script>alert(1)</script>')
    expect(await ada.page.locator('#room img, #messages script').count()).toBe(0)

    await press(bob.page, 'Mute')
    await press(bob.page, 'Camera off')
    await expect.poll(() => others(ada.page).locator('.muted').isVisible()).toBe(true)
    await expect.poll(() => others(ada.page).locator('.initials').isVisible()).toBe(true)
    await expect.poll(() => others(ada.page).locator('.quality').textContent(), { timeout: 10_000 }).toBe('good')

    await press(bob.page, 'Leave')
    await untilThereAre(1, ada.page)
    await untilItSays(notice(bob.page), 'You have left.')
    await noComplaints(ada, bob)
  })

  it('shows a shared screen to those who are there, and to who comes later', async () => {
    const script = `navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = document.createElement('canvas')
      const context = canvas.getContext('2d')
      setInterval(() => {
        context.fillStyle = 'red'
        context.fillRect(0, 0, canvas.width, canvas.height)
      }, 50)
      return canvas.captureStream(20)
    }`
    const ada = await visit('/?room=screen&name=Ada', { script })
    const bob = await visit('/?room=screen&name=Bob')
    const carl = await visit('/?room=screen&name=Carl')
    await enter(ada.page)
    await untilThereAre(1, ada.page)
    await enter(bob.page)
    await untilThereAre(2, ada.page, bob.page)
    await untilItMoves(bob.page)
    await press(ada.page, 'Share screen')
    const isRed = (page: Page) =>
      others(page)
        .filter({ hasText: 'Ada' })
        .locator('video')
        .evaluate(video => {
          const { document } = globalThis as unknown as { document: { createElement(tag: string): never } }
          const canvas: HTMLCanvas = document.createElement('canvas')
          const context = canvas.getContext('2d')
          context.drawImage(video, 0, 0, 8, 8)
          const [red = 0, green = 0] = context.getImageData(4, 4, 1, 1).data
          return red > 200 && green < 80
          interface HTMLCanvas {
            getContext(kind: string): {
              drawImage(of: unknown, ...at: number[]): void
              getImageData(...at: number[]): { data: number[] }
            }
          }
        })
    await expect.poll(() => isRed(bob.page), { timeout: 10_000 }).toBe(true)
    await enter(carl.page)
    await untilThereAre(3, carl.page)
    await expect.poll(() => isRed(carl.page), { timeout: 20_000 }).toBe(true)
    await press(ada.page, 'Share screen')
    await expect.poll(() => isRed(bob.page), { timeout: 10_000 }).toBe(false)
    await noComplaints(ada, bob, carl)
  })

  it('goes on when the network was away for twenty seconds: the picture moves, and nothing that was written is lost', async () => {
    const cable = await cableTo(parley.origin)
    const ada = await visit('/?room=cut&name=Ada')
    const bob = await visitor(browser, cable.origin, '/?room=cut&name=Bob')
    await enter(ada.page)
    await untilThereAre(1, ada.page)
    await enter(bob.page)
    await untilThereAre(2, ada.page, bob.page)
    await untilItMoves(bob.page)
    cable.pull()
    for (const text of ['one', 'two', 'three']) {
      await ada.page.getByLabel('Write a message').fill(text)
      await press(ada.page, 'Send')
      await untilItSays(ada.page.locator('#messages'), text)
    }
    await pause(20_000) // the cut that is asked for; no clock of ours can stand in for the network’s
    await untilItMoves(bob.page)
    expect(await bob.page.locator('#messages li').count()).toBe(0)
    cable.plug()
    await expect
      .poll(() => bob.page.locator('#messages p').allTextContents(), { timeout: 20_000 })
      .toEqual(['one', 'two', 'three'])
    const carl = await visit('/?room=cut&name=Carl')
    await enter(carl.page)
    await untilThereAre(3, ada.page, bob.page, carl.page)
    for (const { page } of [ada, bob, carl]) await untilItMoves(page)
    expect(ada.complaints).toEqual([])
    await Promise.all([ada, bob, carl].map(({ close }) => close()))
    cable.close()
  })

  it('is entered as the same person after a reload', async () => {
    const ada = await visit('/?room=again&name=Ada')
    const bob = await visit('/?room=again&name=Bob')
    await enter(ada.page)
    await untilThereAre(1, ada.page)
    await enter(bob.page)
    await untilThereAre(2, ada.page)
    await ada.page.reload()
    await untilThereAre(1, bob.page)
    expect(await ada.page.getByLabel('Your name').inputValue()).toBe('Ada')
    await enter(ada.page)
    await untilThereAre(2, ada.page, bob.page)
    await untilItSays(ada.page.locator('#present li').first(), 'host')
    for (const { page } of [ada, bob]) await untilItMoves(page)
    await noComplaints(ada, bob)
  })

  it('says what to do when there is no camera', async () => {
    const script = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    const ada = await visit('/?room=blind&name=Ada', { script })
    await untilItSays(notice(ada.page), 'Allow it beside the address')
    await enter(ada.page)
    await untilThereAre(1, ada.page)
    await noComplaints(ada)
  })
})

describe('A host', () => {
  it('lets guests in who have the code, or does not; shows out, bans, and lets back in', async () => {
    const { meeting, host } = await heldMeeting()
    const lobby = host.page.locator('#waiting')
    const guest = await knock(meeting.join_code, '<img src=x onerror=alert(1)>')
    await untilItSays(notice(guest.page), 'You are in the lobby')
    await untilItSays(lobby, '<img src=x onerror=alert(1)>')
    await lobby.getByRole('button', { name: /^Admit </ }).click()
    await untilThereAre(2, host.page, guest.page)
    for (const { page } of [host, guest]) await untilItMoves(page)

    const other = await knock(meeting.join_code, 'Otto')
    await untilItSays(lobby, 'Otto')
    await press(host.page, 'Deny Otto')
    await untilItSays(notice(other.page), 'A host has not let you in')
    expect(await tiles(host.page).count()).toBe(2)

    const decide = async (what: string) => {
      await host.page.locator('.decide summary').click()
      await press(host.page, what)
    }
    await decide('Remove')
    await untilItSays(notice(guest.page), 'A host has shown you out.')
    await untilThereAre(1, host.page)
    await enter(guest.page) // and may knock again
    await untilItSays(lobby, '<img')
    await lobby.getByRole('button', { name: /^Admit </ }).click()
    await untilThereAre(2, host.page, guest.page)

    await decide('Ban')
    await untilItSays(notice(guest.page), 'A host has shown you out.')
    await enter(guest.page)
    await untilItSays(notice(guest.page), 'banned')
    await host.page.getByText('Banned', { exact: true }).click()
    await host.page
      .locator('#banned')
      .getByRole('button', { name: /^Unban/ })
      .click()
    await expect.poll(() => host.page.locator('#banned').isVisible()).toBe(false)

    await noComplaints(host, guest, other)
  })

  it('lets somebody who watches speak, and those who watch see the stage first', async () => {
    const { meeting, host } = await heldMeeting({ type: 'webinar', recording: 'off' })
    const guest = await knock(meeting.join_code, 'Wendy')
    await press(host.page, 'Admit Wendy')
    await untilThereAre(2, host.page, guest.page)
    await untilItMoves(guest.page)
    expect(await guest.page.locator('#mute').isVisible()).toBe(false)
    await expect.poll(() => others(host.page).getAttribute('class')).toContain('viewer')
    expect(await others(host.page).locator('video').isVisible()).toBe(false)
    await host.page.locator('.decide summary').click()
    await press(host.page, 'Make co-host')
    await expect.poll(() => guest.page.locator('#mute').isVisible()).toBe(true)
    await expect.poll(() => others(host.page).locator('video').isVisible()).toBe(true)
    await untilItMoves(host.page)
    await noComplaints(host, guest)
  })

  it('records what is seen and heard, and everybody is told', async () => {
    const { owner, meeting, host } = await heldMeeting()
    const guest = await knock(meeting.join_code, 'Gus')
    await press(host.page, 'Admit Gus')
    await untilThereAre(2, host.page, guest.page)
    for (const { page } of [host, guest]) await untilItMoves(page)
    await press(host.page, 'Record')
    await host.page.locator('#consent').getByRole('button', { name: 'Record' }).click()
    await untilItSays(guest.page.locator('#being-recorded'), 'being recorded')
    await press(guest.page, 'Stay')
    await expect.poll(() => guest.page.locator('#recording').isVisible()).toBe(true)
    const recordings = async () => (await owner.call('GET', `/meetings/${meeting.id}/recordings`)).data
    await expect.poll(async () => (await recordings())[0]?.bytes, { timeout: 20_000 }).toBeGreaterThan(50_000)
    await press(host.page, 'Stop recording')
    await expect.poll(async () => (await recordings())[0]?.status, { timeout: 20_000 }).toBe('ready')
    await expect.poll(() => guest.page.locator('#recording').isVisible()).toBe(false)

    const [{ id }] = await recordings()
    const file = join(emptyFolder(), 'recording.webm')
    writeFileSync(file, await owner.download(`/recordings/${id}/download`))
    const probe = ['-v', 'error', '-count_frames', '-show_entries', 'stream=codec_type,nb_read_frames', '-of', 'json']
    const { streams } = JSON.parse(execFileSync('ffprobe', [...probe, file], { encoding: 'utf8' }))
    const kinds = streams.map(({ codec_type }: { codec_type: string }) => codec_type).sort()
    expect(kinds).toEqual(['audio', 'video'])
    for (const { nb_read_frames } of streams) expect(Number(nb_read_frames)).toBeGreaterThan(10)
    await noComplaints(host, guest)
  })

  it('ends the meeting for all', async () => {
    const { meeting, host } = await heldMeeting({ type: 'individual' })
    const guest = await knock(meeting.join_code, 'Gus')
    await press(host.page, 'Admit Gus')
    await untilThereAre(2, host.page, guest.page)
    await press(host.page, 'End for all')
    for (const { page } of [host, guest]) await untilItSays(notice(page), 'The meeting has ended.')
    await noComplaints(host, guest)
  })
})

it.each([
  [390, 844],
  [1440, 900],
])(
  'nothing is in anybody’s way in a window of %i by %i: at the door, in the lobby, inside, in both themes',
  async (width, height) => {
    const shot = async (page: Page, name: string) => {
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}-${width}.png` })
    }
    const { meeting, host } = await heldMeeting()
    for (const colorScheme of ['light', 'dark'] as const) {
      const options = { viewport: { width, height }, colorScheme }
      const inTheWay = async (page: Page, name: string) => {
        await shot(page, `${name}-${colorScheme}`)
        expect(await barriers(page), name).toEqual([])
        expect(await overflow(page), name).toBeLessThanOrEqual(0)
      }
      await host.page.setViewportSize({ width, height })
      await host.page.emulateMedia({ colorScheme })
      const signIn = await visit('/sign-in', options)
      await inTheWay(signIn.page, 'sign-in')
      await signIn.page.getByRole('button', { name: 'Make an account' }).click()
      await inTheWay(signIn.page, 'register')
      const guest = await visit(`/?code=${meeting.join_code}`, options)
      await guest.page.getByLabel('Your name').fill('Gus')
      await inTheWay(guest.page, 'door')
      await enter(guest.page)
      await guest.page.locator('#lobby').waitFor()
      await inTheWay(guest.page, 'lobby')
      if (width < 800) await press(host.page, /People and chat/)
      await host.page.locator('#waiting').waitFor()
      await inTheWay(host.page, 'people')
      await press(host.page, 'Admit Gus')
      await untilThereAre(2, host.page, guest.page)
      await untilItMoves(guest.page)
      await inTheWay(guest.page, 'inside')
      await host.page.locator('#present').waitFor()
      await inTheWay(host.page, 'hosting')
      if (width < 800) await press(host.page, /People and chat/)
      await press(host.page, 'Record')
      await inTheWay(host.page, 'consent')
      await press(host.page, 'Do not')
      await press(guest.page, 'Leave')
      await untilThereAre(1, host.page)
      await noComplaints(signIn, guest)
    }
    await noComplaints(host)
  },
)
