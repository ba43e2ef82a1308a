/** Parameters, events and results of restoring on another device (see `api.ts`, spec/orders.md). */

import { Type } from 'typebox'
import { about, method, Nothing, tellingMethod, type Of } from './api-schema.ts'
import { SnapshotChoice } from './api-browse.ts'
import { PathFields, PathText } from './api-path.ts'

export const RestoreOrderState = Type.Enum(
  ['waiting', 'accepted', 'running', 'done', 'failed', 'refused', 'expired', 'withdrawn'],
  {
    title: 'RestoreOrderState',
    description: 'How an order stands; from `done` on it is over. `waiting`: for a person at that device.',
  },
)
/** How an order stands; from `done` on it is over. `waiting`: for a person at that device. */
export type RestoreOrderState = Of<typeof RestoreOrderState>

export const RestoreOrderInfo = Type.Object(
  {
    id: Type.String(),
    short_id: Type.String(),
    here: Type.Boolean({
      description: 'True: another device asked for it, and it is restored here. False: this device asked.',
    }),
    device: Type.String({ description: 'The other device: who asked, or who was asked.' }),
    device_name: Type.String(),
    snapshot_id: Type.String(),
    snapshot_time: Type.Optional(
      Type.String({ description: 'Absent where the snapshot is not known here.' }),
    ),
    snapshot_device_name: Type.Optional(Type.String()),
    ...Type.Partial(PathFields).properties,
    patterns: Type.Integer({ description: 'How many patterns choose among the files; 0: all of them.' }),
    name: Type.String({ description: 'What the asker would like the directory to be called.' }),
    target: Type.Optional(
      Type.String({
        description: 'Where it is restored: a path here, only the name of the directory elsewhere.',
      }),
    ),
    state: RestoreOrderState,
    asked_at: Type.String(),
    changed_at: Type.String(),
    expires_at: Type.Optional(Type.String({ description: 'While it waits.' })),
    sent: Type.Boolean({ description: 'False: the other device has not heard of it yet.' }),
    total_files: Type.Integer({ description: 'Entries of every type, as `restore` counts them.' }),
    files_restored: Type.Integer({ description: 'So far; those that were there after a restart too.' }),
    total_bytes: Type.Integer(),
    bytes_restored: Type.Integer(),
    percent_done: Type.Number({ description: '0..1.' }),
    errors: Type.Integer({ description: 'Entries that could not be restored.' }),
    code: Type.Optional(Type.String({ description: 'Why it failed.' })),
    message: Type.Optional(Type.String()),
  },
  { title: 'RestoreOrderInfo', description: 'One order to restore, given or taken.' },
)
/** One order to restore, given or taken. */
export type RestoreOrderInfo = Of<typeof RestoreOrderInfo>

export const RestoreOnParams = Type.Object(
  {
    ...SnapshotChoice.properties,
    device: Type.String({ description: 'Where to restore: name, id or prefix; it has to read.' }),
    includes: Type.Array(PathText, { maxItems: 64 }),
    iincludes: Type.Array(PathText, { maxItems: 64 }),
    excludes: Type.Array(PathText, { maxItems: 64 }),
    iexcludes: Type.Array(PathText, { maxItems: 64 }),
    name: Type.Optional(
      Type.String({
        description: 'What the new directory is to be called there: a wish. Else made of the path.',
      }),
    ),
    wait: Type.Boolean({ description: 'Answer when it is over; else once the other device has the order.' }),
  },
  { title: 'RestoreOnParams', description: 'What another device is asked to restore on its own disk.' },
)
/** What another device is asked to restore on its own disk. */
export type RestoreOnParams = Of<typeof RestoreOnParams>

export const RestoreOnEvent = Type.Object(
  { message_type: Type.Literal('order'), order: RestoreOrderInfo },
  { title: 'RestoreOnEvent', description: 'The order, whenever it stands otherwise; about once a second.' },
)
/** The order, whenever it stands otherwise; about once a second. */
export type RestoreOnEvent = Of<typeof RestoreOnEvent>

export const RestoreAnswerParams = Type.Object(
  {
    order: Type.String({ minLength: 4, description: 'Id or its beginning.' }),
    answer: Type.Enum(['accept', 'refuse', 'withdraw'], {
      description:
        '`accept` and `refuse` one that was asked of this device, `withdraw` one that it asked for.',
    }),
  },
  { title: 'RestoreAnswerParams', description: 'What is to become of an order.' },
)
/** What is to become of an order. */
export type RestoreAnswerParams = Of<typeof RestoreAnswerParams>

export const OrderCounts = Type.Object(
  {
    waiting: Type.Integer({ description: 'Asked of this device, and waiting for its person.' }),
    under_way: Type.Integer({ description: 'Asked of this device, accepted, and not done yet.' }),
    given: Type.Integer({ description: 'Asked of others by this device, and not over.' }),
  },
  { title: 'OrderCounts', description: 'Orders to restore that are not over.' },
)
/** Orders to restore that are not over. */
export type OrderCounts = Of<typeof OrderCounts>

/** The methods of this file. */
export const orderMethods = {
  restoreOn: tellingMethod(
    'Asks another device to restore something on its own disk, and follows that to its end; who stops following does not end it. `NOT_ENTITLED`, `DEVICE_NOT_FOUND`, `NO_PEER`, `PEER_BUSY`, `SNAPSHOT_NOT_FOUND`.',
    RestoreOnParams,
    RestoreOnEvent,
    about(RestoreOrderInfo, 'As it ended: see `state` and `code`.'),
  ),
  restoreOrders: method(
    'The orders to restore that this device took and gave, the oldest first.',
    Nothing,
    Type.Array(RestoreOrderInfo),
  ),
  restoreAnswer: method(
    'Accepts, refuses or withdraws an order. `ORDER_NOT_FOUND`, `ORDER_EXPIRED`, `USAGE` when it is over, `NO_PEER`.',
    RestoreAnswerParams,
    RestoreOrderInfo,
  ),
}
