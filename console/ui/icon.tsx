/** Line icons on a 24-unit grid, drawn for this page. Decoration: what they mean is always said in words as well. */

const PATHS = {
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  camera:
    'M4 8.5A1.5 1.5 0 0 1 5.5 7h2L9 5h6l1.5 2h2A1.5 1.5 0 0 1 20 8.5v8a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 16.5zM12 15.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  pictures: 'M5 5h14v14H5zM5 15.5l4-4 3.5 3.5 2.5-2.5 4 4M15.5 9.2v.1',
  upload: 'M12 16V5M7.5 9.5L12 5l4.5 4.5M5 19h14',
  download: 'M12 5v11M7.5 11.5L12 16l4.5-4.5M5 19h14',
  trash: 'M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12',
  copy: 'M9 9h10v10H9zM15 9V5H5v10h4',
  key: 'M14.5 13.5a4 4 0 1 0-4-4c0 .6.1 1.1.3 1.6L5 17v2h3v-2h2v-2l1.7-1.7c.8.2 1.9.2 2.8.2zM15.5 8.5v.1',
  info: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 11v5M12 8v.1',
  warn: 'M12 4.5L20.5 19h-17zM12 10v4M12 16.5v.1',
  out: 'M10 5H5v14h5M14 8l4 4-4 4M18 12H9',
  back: 'M14.5 6L8.5 12l6 6',
  undo: 'M9 6L4.5 10.5 9 15M5 10.5h9a5 5 0 0 1 0 10h-3',
  folder: 'M4 7h6l2 2h8v10H4z',
  spark: 'M12 4l1.8 5.2L19 11l-5.2 1.8L12 18l-1.8-5.2L5 11l5.2-1.8z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
