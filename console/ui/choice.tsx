/** Chooses one of several. */

interface ChoiceProps<T extends string | number> {
  readonly name: string;
  readonly options: readonly { readonly value: T; readonly text: string }[];
  readonly value: T | undefined;
  readonly onChoose: (value: T) => void;
}

export function Choice<T extends string | number>({ name, options, value, onChoose }: ChoiceProps<T>) {
  return (
    <select
      class="select"
      aria-label={name}
      value={value}
      onChange={({ currentTarget }) => onChoose(options[currentTarget.selectedIndex].value)}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.text}
        </option>
      ))}
    </select>
  );
}
