/** Which version answers: the one in use, or one by its number. */

interface VersionChoiceProps {
  readonly versions: readonly { readonly version: number; readonly current: boolean }[];
  readonly onChoose: (version: number | undefined) => void;
}

export function VersionChoice({ versions, onChoose }: VersionChoiceProps) {
  return (
    <select
      class="select"
      aria-label="Version"
      onChange={({ currentTarget: { value } }) => onChoose(value === '' ? undefined : Number(value))}
    >
      <option value="">version in use</option>
      {versions.map(({ version, current }) => (
        <option key={version} value={version}>
          version {version}
          {current ? ' (in use)' : ''}
        </option>
      ))}
    </select>
  );
}
