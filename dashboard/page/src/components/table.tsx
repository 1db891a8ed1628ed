/*
 * A table. On a narrow screen every row becomes a card with the heads beside the values; the roles that its elements
 * lose by that in some browsers are said again.
 */
import type { ComponentChildren } from 'preact';
import { common } from '../texts/common';
import { useTexts } from '../texts/dictionary';
import { Icon } from './icons';

export interface Column<R> {
  key: string;
  title: string;
  value: (row: R) => ComponentChildren;
  /* Numbers stand at the right. */
  number?: boolean;
  /* Numbers and names that others give, which may be long and without a place to break. */
  long?: boolean;
  /* The name by which the server sorts. */
  sort?: string;
  /* The cell that names the row. */
  head?: boolean;
}

export interface TableProps<R> {
  /* Says what the table is, for those who do not see it. */
  caption: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  rowKey: (row: R) => string;
  rowClass?: (row: R) => string | undefined;
  /* "name" or "-name", as in the API. */
  sort?: string | undefined;
  onSort?: (sort: string) => void;
}

function SortHead<R>({ column, sort, onSort }: { column: Column<R>; sort: string; onSort: (sort: string) => void }) {
  const name = column.sort ?? '';
  const up = sort === name;
  const down = sort === `-${name}`;
  return (
    <button type="button" class="sort" onClick={() => onSort(down ? name : `-${name}`)}>
      {column.title}
      {(up || down) && <Icon name={up ? 'up' : 'down'} />}
    </button>
  );
}

export function Table<R>({ caption, columns, rows, rowKey, rowClass, sort, onSort }: TableProps<R>) {
  const state = (column: Column<R>) => {
    if (column.sort === undefined || onSort === undefined) {
      return undefined;
    }
    return sort === column.sort ? 'ascending' : sort === `-${column.sort}` ? 'descending' : 'none';
  };
  return (
    <table class="table" role="table">
      <caption class="hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th
              key={column.key}
              scope="col"
              role="columnheader"
              class={column.number ? 'number' : undefined}
              aria-sort={state(column)}
            >
              {column.sort !== undefined && onSort !== undefined ? (
                <SortHead column={column} sort={sort ?? ''} onSort={onSort} />
              ) : (
                column.title
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={rowKey(row)} role="row" class={rowClass?.(row)}>
            {columns.map((column) => {
              const kind = column.number ? 'number' : column.long ? 'long' : undefined;
              const shared = { 'data-title': column.title, class: kind };
              return column.head ? (
                <th key={column.key} scope="row" role="rowheader" {...shared}>
                  {column.value(row)}
                </th>
              ) : (
                <td key={column.key} role="cell" {...shared}>
                  {column.value(row)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function CsvLink({ address }: { address: string }) {
  const t = useTexts(common);
  return (
    <a class="button" href={address} download>
      <Icon name="download" />
      {t.csv}
    </a>
  );
}
