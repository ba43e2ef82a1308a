/** The few names of the WebAssembly interface that are used: Node has them, its type definitions do not. */

/** Compiled code, to be shared between threads. */
export type WasmModule = object

interface WasmMemory {
  readonly buffer: ArrayBuffer
}

interface WasmInterface {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory
  readonly Instance: new (
    module: WasmModule,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> }
}

/** The global `WebAssembly`. */
export const wasm = (globalThis as unknown as { readonly WebAssembly: WasmInterface }).WebAssembly
