/** Results as text for a terminal. */
import Table from 'cli-table3';
import type { Machine } from './machine.ts';
import type { Result } from './section.ts';

export function machineText({ cpu, cores, memoryBytes, system, avxVnni, load, versions }: Machine): string {
  const lines = [
    `${cpu.trim()}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, ${system}, ${avxVnni === true ? 'AVX-VNNI' : 'no AVX-VNNI'}, load ${load.toFixed(1)}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ];
  if (load > cores / 2) lines.push('Other work is running on this machine: trust ratios more than times.');
  return lines.join('\n');
}

export function resultText(title: string, { tables, notes }: Result): string {
  const parts = tables.map(({ columns, rows }) => {
    const table = new Table({
      head: [...columns],
      style: { head: [], border: [], compact: true },
      colAligns: columns.map((_, i) => (i === 0 ? 'left' : 'right')),
    });
    table.push(...rows.map((row) => [...row]));
    return table.toString();
  });
  return ['', `— ${title}`, ...parts, ...notes.map((note) => `  ${note}`)].join('\n');
}
