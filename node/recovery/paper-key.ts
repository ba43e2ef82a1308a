/** A recovery phrase in memory: it shows itself only when asked for its words, never by being printed or cloned. */

import { inspect } from 'node:util'
import {
  type DeviceId,
  entropyOfPhrase,
  type MeshId,
  paperSeed,
  type Random,
  type Signer,
  signerFromSeed,
  signPaperProof,
  wordsOfEntropy,
} from '../../protocol/index.ts'

const entropyBytes = 32
const hidden = '[recovery phrase]'

/** The key on paper (protocol/spec/keys.md §6). What is secret is private: no log and no JSON has it by accident. */
export class PaperKey {
  readonly #entropy: Uint8Array
  readonly #signer: Signer

  private constructor(entropy: Uint8Array) {
    this.#entropy = entropy
    this.#signer = signerFromSeed(paperSeed(entropy))
  }

  /** Draws a new one. */
  static draw(random: Random): PaperKey {
    return new PaperKey(random.bytes(entropyBytes))
  }

  /** Reads what a person typed. @throws {CellarError} `PHRASE_WRONG`, naming places and no words */
  static read(typed: string): PaperKey {
    return new PaperKey(entropyOfPhrase(typed))
  }

  /** The paper device that it is the key of. */
  get device(): DeviceId {
    return this.#signer.device
  }

  /** Signs as the paper device. */
  get signer(): Signer {
    return this.#signer
  }

  /** The seed of the paper device's key: 32 bytes, fresh. Secret. */
  seed(): Uint8Array {
    return paperSeed(this.#entropy)
  }

  /** The 24 words. Secret. */
  words(): string[] {
    return wordsOfEntropy(this.#entropy)
  }

  /** Says, for all members, that this paper device belongs to a mesh: 64 bytes, fresh; no secret. */
  proofFor(mesh: string): Uint8Array {
    return signPaperProof(this.#signer, mesh as MeshId)
  }

  /** Never what it is made of. */
  toJSON(): string {
    return hidden
  }

  /** Never what it is made of. */
  toString(): string {
    return hidden
  }

  /** Never what it is made of. */
  [inspect.custom](): string {
    return hidden
  }
}
