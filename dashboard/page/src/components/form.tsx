/* Fields of forms. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export interface FieldProps {
  label: string;
  value: string;
  change: (value: string) => void;
  hint?: string | undefined;
  /* What is wrong with the value. */
  error?: string | null;
  type?: 'text' | 'url' | 'number' | 'datetime-local';
  required?: boolean;
  min?: number;
  max?: number | string;
  maxLength?: number;
}

export function InputField({ label, value, change, hint, error, type = 'text', ...more }: FieldProps) {
  const id = useId();
  return (
    <div>
      <label class="label" for={id}>
        {label}
      </label>
      <input
        id={id}
        class="field"
        autocomplete="off"
        spellcheck={false}
        value={value}
        aria-describedby={`${id}-hint`}
        aria-invalid={error !== undefined && error !== null}
        onInput={(event) => change(event.currentTarget.value)}
        // The type is known when it runs only, which the types of inputs do not allow for.
        {...({ type, ...more } as object)}
      />
      <p id={`${id}-hint`} class="hint">
        {error !== undefined && error !== null ? <strong class="field-error">{error}</strong> : hint}
      </p>
    </div>
  );
}

export function Choice<V extends string>({
  label,
  value,
  options,
  change,
}: {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  change: (value: V) => void;
}) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="label">{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input type="radio" name={name} checked={value === option.value} onChange={() => change(option.value)} />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}

/* Boxes for the values of a list with commas. */
export function Checks({
  label,
  value,
  options,
  change,
}: {
  label: ComponentChildren;
  value: string;
  options: readonly { value: string; label: string }[];
  change: (value: string) => void;
}) {
  const chosen = value === '' ? [] : value.split(',');
  const toggle = (one: string) =>
    change((chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one]).join(','));
  return (
    <fieldset class="choice checks">
      <legend class="label">{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input type="checkbox" checked={chosen.includes(option.value)} onChange={() => toggle(option.value)} />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
