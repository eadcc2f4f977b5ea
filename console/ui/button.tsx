/** The one button. `busy` keeps it focusable, so that the keyboard does not lose its place, and does nothing on a press. */
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

type Props = Omit<ButtonHTMLAttributes, 'icon' | 'size'> & {
  readonly kind?: 'main' | 'quiet' | 'plain' | 'danger';
  readonly size?: 'small' | 'normal';
  readonly icon?: IconName;
  readonly busy?: boolean;
  /** Shown as an icon alone; the name is for those who can't see it. */
  readonly label?: string;
  readonly children?: ComponentChildren;
};

export function Button({ kind = 'quiet', size, icon, busy = false, label, children, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      class="button"
      data-kind={kind}
      data-size={size}
      data-square={label === undefined ? undefined : true}
      aria-label={label ?? rest['aria-label']}
      title={label}
      aria-disabled={busy ? 'true' : undefined}
      onClick={busy ? undefined : rest.onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
