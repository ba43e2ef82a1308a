/** Addresses of devices: reading what people type, and remembering what is known. Pure. */

import { isIPv4, isIPv6 } from 'node:net'
import {
  addressBytesMax,
  addressesPerDeviceMax,
  CellarError,
  type DeviceId,
  membersMax,
} from '../../protocol/index.ts'

/**
 * The multiaddr for what a person typed: a multiaddr, or HOST:PORT where the host is a name, an IPv4 address or
 * an IPv6 address in brackets.
 *
 * @throws {CellarError} `USAGE`
 */
export function readAddress(text: string): string {
  const typed = text.trim()
  if (typed.length > addressBytesMax) throw bad('the address is too long')
  if (typed.startsWith('/')) return typed
  const match = /^(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(typed)
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > 65_535) throw bad(`"${typed}" is not HOST:PORT`)
  const host = match[1] ?? match[2] ?? ''
  if (isIPv6(host)) return `/ip6/${host}/tcp/${String(port)}`
  if (isIPv4(host)) return `/ip4/${host}/tcp/${String(port)}`
  if (match[1] !== undefined || !/^[A-Za-z0-9._-]+$/.test(host)) throw bad(`"${host}" is not a host name`)
  return `/dns/${host}/tcp/${String(port)}`
}

function bad(what: string): CellarError {
  return new CellarError('USAGE', `${what}; give it as 192.168.1.5:4001, name:4001 or [fe80::1]:4001`)
}

/** The device id at the end of a multiaddr, if it says one. */
export function deviceOfAddress(address: string): DeviceId | undefined {
  return /\/p2p\/([A-Za-z0-9]+)$/.exec(address)?.[1] as DeviceId | undefined
}

/** A multiaddr without the device id at its end. */
export function bareAddress(address: string): string {
  return address.replace(/\/p2p\/[A-Za-z0-9]+$/, '')
}

/**
 * Without those that mean each machine itself, where others are among them: on another device they lead nowhere, or to
 * another program. A mesh on one machine has no others, and keeps them.
 */
export function withoutLoopback(addresses: readonly string[]): readonly string[] {
  const others = addresses.filter((address) => !isLoopback(address))
  return others.length > 0 ? others : addresses
}

/** Says whether a multiaddr leads to the machine it is used on. */
export function isLoopback(address: string): boolean {
  return /^\/(ip4\/127\.|ip6\/::1\/)/.test(address)
}

/** What is known of where devices are: a few addresses for each, those that worked or were told last first. */
export class AddressBook {
  readonly #byDevice = new Map<DeviceId, string[]>()

  /** Puts addresses before those known. @returns whether one was new */
  add(device: DeviceId, addresses: readonly string[]): boolean {
    const fresh = addresses.filter((address) => address.length <= addressBytesMax).map(bareAddress)
    const known = this.#byDevice.get(device) ?? []
    if (known.length === 0 && this.#byDevice.size >= 2 * membersMax) return false
    const all = [...new Set([...fresh, ...known])].slice(0, addressesPerDeviceMax)
    this.#byDevice.set(device, all)
    return fresh.some((address) => !known.includes(address))
  }

  /** Without device id, in the order to try. */
  of(device: DeviceId): readonly string[] {
    return this.#byDevice.get(device) ?? []
  }
}
