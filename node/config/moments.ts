/** Of what people and programs are told: a leaf, as the methods of a node name it too. */

/** Of what a hook or a mail tells. */
export const HOOK_MOMENTS = ['before', 'after', 'success', 'failure', 'silent', 'trouble'] as const
/** One of these. */
export type HookMoment = (typeof HOOK_MOMENTS)[number]
