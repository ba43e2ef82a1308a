/** Addresses of devices, remembered over a restart: hints, so a loss costs nothing but time. */

import { type DeviceId, isDeviceId } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import { deviceOfAddress } from './addresses.ts'

const devicePrefix = 'device/'

/** What was remembered, and what came with the invitation (`first/N`, multiaddrs that say whose they are). */
export async function loadAddresses(catalog: Catalog): Promise<Map<DeviceId, readonly string[]>> {
  const known = new Map<DeviceId, readonly string[]>()
  for await (const [key, value] of catalog.iterate()) {
    const text = Buffer.from(value).toString()
    const device = key.startsWith(devicePrefix) ? key.slice(devicePrefix.length) : deviceOfAddress(text)
    if (device === undefined || !isDeviceId(device)) continue
    known.set(device, [...(known.get(device) ?? []), ...text.split('\n')])
  }
  return known
}

/** Remembers the addresses of a device in place of those before; not durable. */
export async function saveAddresses(
  catalog: Catalog,
  device: DeviceId,
  addresses: readonly string[],
): Promise<void> {
  const value = Buffer.from(addresses.join('\n'))
  await catalog.batch([{ type: 'put', key: devicePrefix + device, value }], { durable: false })
}
