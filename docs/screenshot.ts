import { accountsAt } from '../test/browsers/accounts.ts'
import { launch } from '../test/browsers/pages.ts'
import { visitor } from '../test/browsers/visitor.ts'

/** Draws docs/room.png at a running server: npx tsx docs/screenshot.ts http://127.0.0.1:3000 */

/** Instead of a camera: somebody, drawn. */
const person = (hue: number) => `navigator.mediaDevices.getUserMedia = async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 })
  const context = canvas.getContext('2d')
  const disc = (x, y, w, h) => {
    context.beginPath()
    context.ellipse(x, y, w, h, 0, 0, 7)
    context.fill()
  }
  setInterval(() => {
    const light = context.createLinearGradient(0, 0, 640, 480)
    light.addColorStop(0, 'hsl(${hue} 45% 72%)')
    light.addColorStop(1, 'hsl(${hue + 40} 40% 42%)')
    context.fillStyle = light
    context.fillRect(0, 0, 640, 480)
    context.fillStyle = 'hsl(${hue + 180} 30% 28%)'
    disc(320, 520, 190, 190)
    context.fillStyle = 'hsl(28 45% ${45 + (hue % 35)}%)'
    disc(320, 220, 85, 105)
    context.fillStyle = 'hsl(${hue % 60} 35% 20%)'
    disc(320, 140, 95, 50)
  }, 60)
  return canvas.captureStream(15)
}`

const origin = process.argv[2] ?? 'http://127.0.0.1:3000'
const browser = await launch()
const owner = await accountsAt(origin).register('Ada')
const meeting = await owner.call('POST', '/meetings', { title: 'Garden plans' })
const options = { viewport: { width: 1280, height: 720 } }
const enter = { name: 'Enter', exact: true }

const ada = await visitor(browser, origin, '/sign-in', { ...options, script: person(200) })
const form = ada.page.locator('#sign-in')
await form.getByLabel('E-mail address').fill(owner.email)
await form.getByLabel('Password').fill(owner.password)
await ada.page.getByRole('button', { name: 'Sign in' }).click()
await ada.page.waitForURL('**/meetings')
await ada.page.goto(`${origin}/?meeting=${meeting.id}`)
await ada.page.getByRole('button', enter).click()
for (const [name, hue] of [
  ['Bob', 20],
  ['Carl', 100],
  ['Dora', 300],
] as const) {
  const guest = await visitor(browser, origin, `/?code=${meeting.join_code}`, { ...options, script: person(hue) })
  await guest.page.getByLabel('Your name').fill(name)
  await guest.page.getByRole('button', enter).click()
  await ada.page.getByRole('button', { name: `Admit ${name}` }).waitFor()
  if (name === 'Dora') break // who stays in the lobby
  await ada.page.getByRole('button', { name: `Admit ${name}` }).click()
  await guest.page
    .getByLabel('Write a message')
    .fill(name === 'Bob' ? 'Good morning! Who has the map?' : 'I have. One moment …')
  await guest.page.getByRole('button', { name: 'Send' }).click()
}
await ada.page.locator('.quality').nth(1).filter({ hasText: 'good' }).waitFor()
await ada.page.screenshot({ path: new URL('room.png', import.meta.url).pathname })
await browser.close()
