/** Chooses one of a head's labels. */

interface LabelChoiceProps {
  readonly name: string;
  readonly labels: readonly string[];
  readonly value: string;
  readonly onChoose: (label: string) => void;
}

export function LabelChoice({ name, labels, value, onChoose }: LabelChoiceProps) {
  return (
    <select
      class="select"
      aria-label={name}
      value={value}
      onChange={({ currentTarget }) => onChoose(currentTarget.value)}
    >
      {labels.map((label) => (
        <option key={label} value={label}>
          {label}
        </option>
      ))}
    </select>
  );
}
