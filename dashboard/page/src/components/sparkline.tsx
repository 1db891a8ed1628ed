/* A row of small bars beside a figure that says the same: seen only, not read out. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(...values, 0);
  const width = 8;
  const gap = 3;
  const height = 36;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${Math.max(1, values.length * (width + gap) - gap)} ${height}`}
      aria-hidden="true"
      focusable="false"
    >
      {values.map((value, index) => {
        const tall = most === 0 ? 1 : Math.max(1, (height * value) / most);
        return (
          <rect
            key={index}
            class={index === values.length - 1 ? 'spark-last' : 'spark'}
            x={index * (width + gap)}
            y={height - tall}
            width={width}
            height={tall}
            rx="1.5"
          />
        );
      })}
    </svg>
  );
}
