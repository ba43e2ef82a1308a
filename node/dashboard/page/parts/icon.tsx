/** Small drawings, one line each; they only repeat what a word beside them says. */

const SHAPES = {
  home: 'M4 11.5 12 5l8 6.5M6 10v9h12v-9M10 19v-5h4v5',
  devices: 'M3 6h13v9H3zM1.5 18H14M17 10h5.5v9H17zM19 16.5h1.5',
  files: 'M4 6h5l2 2.5h9V18H4z',
  snapshots: 'M5 4.5h14v4H5zM5 10h14v4H5zM5 15.5h14v4H5z',
  copies: 'M8 8h12v12H8zM16 8V4H4v12h4',
  trash: 'M5 7h14M9.5 7V4.5h5V7M7 7l1 12.5h8L17 7',
  activity: 'M3 12h4l3-7 4 14 3-7h4',
  health: 'M12 20S4 15 4 9.5A4.3 4.3 0 0 1 12 7.5a4.3 4.3 0 0 1 8 2C20 15 12 20 12 20z',
  settings: 'M4 7h9M17 7h3M13 5v4M4 12h3M11 12h9M7 10v4M4 17h9M17 17h3M13 15v4',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5 10 17.5 19 7',
  warning: 'M12 4 21 19.5H3zM12 10v4.5M12 17v.3',
  bad: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 8v5M12 16v.3',
  clock: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2',
  next: 'M9 5l7 7-7 7',
  up: 'M12 19V6M6 11.5 12 5.5l6 6',
  down: 'M12 5v13M6 12.5l6 6 6-6',
  search: 'M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM16 16l4.5 4.5',
  file: 'M6 3.5h8l4 4v13H6zM14 3.5v4h4',
  pin: 'M9 4h6l-1 6 3 3H7l3-3zM12 13v7',
  theme: 'M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17',
} as const

/** The name of a drawing. */
export type IconName = keyof typeof SHAPES

/** A drawing of the size of the text; hidden from screen readers. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  )
}
