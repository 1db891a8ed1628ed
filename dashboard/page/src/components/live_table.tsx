/* A live list as a table: what is new waits above it, what changed is marked, what is done is faint. */
import type { ComponentChildren } from 'preact';
import type { LiveRows } from '../live_rows';
import { FreshRows } from './live_list';
import { PagedEnd, type Paged } from './paged';
import { Empty, Loading } from './states';
import { Table, type Column } from './table';

interface LiveTableProps<R> {
  list: Paged<R>;
  live: LiveRows;
  caption: string;
  columns: readonly Column<R>[];
  idOf: (row: R) => string;
  /* The id of the element of a row that gets the focus when the row is shown. */
  elementId: (id: string) => string;
  isDone: (row: R) => boolean;
  /* How many are new. */
  fresh: string;
  /* What stands there when nothing is listed. */
  empty: string;
  shown?: () => void;
  sort?: string;
  onSort?: (sort: string) => void;
  /* What stands above the rows. */
  children?: ComponentChildren;
}

export function LiveTable<R>(props: LiveTableProps<R>) {
  const { list, live, idOf } = props;
  const rowClass = (row: R) =>
    props.isDone(row) ? 'row-done' : live.marked.has(idOf(row)) ? 'row-fresh' : undefined;
  return (
    <>
      {props.children}
      <FreshRows
        live={live}
        text={props.fresh}
        rowId={props.elementId}
        shown={props.shown ?? (() => undefined)}
      />
      {list.rows === null && list.problem === null && <Loading />}
      {list.rows !== null && list.rows.length > 0 && (
        <Table
          caption={props.caption}
          columns={props.columns}
          rows={list.rows}
          rowKey={idOf}
          rowClass={rowClass}
          {...(props.sort !== undefined && props.onSort !== undefined && { sort: props.sort, onSort: props.onSort })}
        />
      )}
      {list.rows?.length === 0 && <Empty>{props.empty}</Empty>}
      <PagedEnd list={list} />
    </>
  );
}
