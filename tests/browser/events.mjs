/*
 * The events that the tests look at: a small municipality, 0363, with one case of everything that a page has to show,
 * and a neighbour, 0518, that its contract manager must not see. Nothing depends on the clock: everything is judged
 * as of AS_OF. Beside them stands a simulated region of other municipalities, for lists that are long.
 */
export const AS_OF = '2026-03-16';
/* Those of the simulated region. */
export const FIRST_DAY = '2025-03-17';
export const LAST_DAY = '2026-03-15';

const MS_PER_DAY = 86_400_000;
const day = (text) => Date.parse(`${text}T00:00:00Z`) / MS_PER_DAY;
export const addDays = (text, days) => new Date((day(text) + days) * MS_PER_DAY).toISOString().slice(0, 10);
const at = (text, time) => Date.parse(`${text}T${time}:00Z`);

let numbered = 0;
const eventId = () => `00000000-0000-4000-8000-${String(++numbered).padStart(12, '0')}`;

const NO_SHOW = { billable_percent: 100, max_per_month: 2, notice_hours: 24, counts_to_budget: true };
const PROVIDER = '41410001';
/* The one whose staff gives signals. */
export const NOTED_PROVIDER = '41410099';
export const NOTED_STAFF = 'm-0907';

/* One decision and what is delivered under it. */
class Care {
  constructor(list, client, decision, more) {
    this.list = list;
    this.base = { municipality: '0363', client, decision, provider: PROVIDER, ...more.base };
    this.staff = more.staff ?? 'm-0101';
    this.lines = 0;
    this.terms = null;
    this.decide(more);
  }

  decide({ terms, from, to = null, version = 1, effective = from, months = [], law = 'WMO', product = '02A03', rate = 6200, care }) {
    this.push('decisions', {
      recorded_at: at(addDays(from, -10), '09:00'),
      version,
      status: 'ACTIVE',
      law,
      product_category: product.slice(0, 2),
      product,
      care: care ?? 'CONTINUOUS',
      valid_from: from,
      valid_to: to,
      effective_from: effective,
      terms,
      no_show: NO_SHOW,
      evaluation_months: months,
      rate_cents_per_hour: rate,
    });
    return this;
  }

  push(topic, value, last = {}) {
    const { provider, ...unprovided } = this.base;
    const base = topic === 'evaluations' ? unprovided : this.base;
    this.list.push({ topic, value: { event_id: eventId(), ...base, ...value, ...last } });
  }

  line(on, minutes, more = {}) {
    this.push(
      'declarations',
      {
        recorded_at: at(addDays(on, 3), '10:00'),
        line: `L${String(++this.lines).padStart(3, '0')}`,
        kind: 'DEBIT',
        corrects: null,
        performed_on: on,
        performed_until: null,
        started_at: at(on, '09:00'),
        minutes,
        staff: this.staff,
      },
      more,
    );
    return `L${String(this.lines).padStart(3, '0')}`;
  }

  credit(corrects, on, minutes, more = {}) {
    return this.line(on, minutes, { kind: 'CREDIT', corrects, started_at: null, recorded_at: at(addDays(on, 8), '10:00'), ...more });
  }

  /* A visit a week, `minutes(week)` long; 0 leaves a week out. */
  weekly(from, to, minutes) {
    for (let on = from, week = 0; day(on) <= day(to); on = addDays(on, 7), week++) {
      const length = minutes(week);
      if (length > 0) {
        this.line(on, length);
      }
    }
    return this;
  }

  noShow(on, more = {}) {
    this.push('no-shows', {
      recorded_at: at(addDays(on, 1), '16:00'),
      no_show: `N${on.replaceAll('-', '')}`,
      status: 'REPORTED',
      appointment_on: on,
      appointment_at: at(on, '13:00'),
      planned_minutes: 60,
      reason: 'CLIENT_ABSENT',
      notice_minutes: null,
      staff: this.staff,
      ...more,
    });
    return this;
  }

  evaluated(on, outcome = 'CONTINUE') {
    this.push('evaluations', { recorded_at: at(on, '15:00'), held_on: on, outcome });
    return this;
  }
}

const pxq = (minutes, frequency) => ({ Pxq: { volume_minutes: minutes, frequency } });
const yearly = (minutes) => ({ YearBudget: { minutes_per_year: minutes } });
const fixed = (week, surplus) => ({ FixedPlusSurplus: { minutes_per_week: week, surplus_minutes: surplus } });

/*
 * Evaluations: overdue ones that tests act on, each test on its own, one that is due this month, and one on its last day,
 * too far off for an alert.
 */
function evaluations(list) {
  const cases = [
    ['WMO-1001', 'c-anna', '2025-10-27'],
    ['WMO-1002', 'c-bert', '2025-10-20'],
    ['WMO-1003', 'c-cees', '2025-11-24'],
    ['WMO-1004', 'c-dora', '2025-12-01'],
    ['WMO-1005', 'c-evert', '2025-12-08'],
    ['WMO-1006', 'c-floor', '2025-12-25'],
    ['WMO-1011', 'c-gerda', '2025-12-02'],
    ['WMO-1012', 'c-henk', '2025-12-03'],
    ['WMO-1013', 'c-iris', '2025-12-04'],
    ['WMO-1014', 'c-jan', '2025-12-31'],
  ];
  for (const [decision, client, from] of cases) {
    new Care(list, client, decision, { terms: pxq(240, 'WEEK'), from, to: addDays(from, 364), months: [3] })
      .weekly(addDays(from, 2), '2026-03-13', (week) => [180, 240, 210, 150][week % 4])
      .noShow('2026-02-12')
      .noShow('2026-02-26', { reason: 'CLIENT_CANCELLED', notice_minutes: 120 });
  }
}

function pools(list) {
  // The surplus ran out in January and care went on.
  new Care(list, 'c-bram', 'WMO-2001', {
    terms: fixed(120, 600), from: '2025-11-03', to: '2026-05-03', months: [3], base: { provider: '41410002' }, staff: 'm-0201',
  })
    .weekly('2025-11-05', '2026-03-12', (week) => 150 + ((week * 37) % 90))
    .evaluated('2026-02-02');
  // The funding form changed at the turn of the year: hours by the week before, a budget by the year since.
  new Care(list, 'c-carla', 'JW-3001', {
    terms: pxq(300, 'WEEK'), from: '2025-09-01', to: '2026-08-31', law: 'JEUGDWET', product: '45A48', months: [3],
    base: { provider: '41410003' }, staff: 'm-0301',
  })
    .decide({
      terms: yearly(9000), from: '2025-09-01', to: '2026-08-31', version: 2, effective: '2026-01-01', law: 'JEUGDWET',
      product: '45A48', months: [3], rate: 6800,
    })
    .weekly('2025-09-03', '2026-03-11', (week) => 260 + ((week * 53) % 100))
    .noShow('2025-10-14')
    .noShow('2026-01-20')
    .noShow('2026-02-17', { reason: 'PROVIDER_CANCELLED' })
    .evaluated('2025-12-04', 'ADJUST');
  new Care(list, 'c-els', 'WMO-5001', { terms: { Bandwidth: { min_minutes: 60, max_minutes: 180, per: 'WEEK' } }, from: '2026-01-05' })
    .weekly('2026-01-06', '2026-03-10', (week) => [120, 200, 30, 150, 90][week % 5]);
  new Care(list, 'c-fred', 'WMO-6001', {
    terms: { Result: { result: 'Huishouden op orde', price_cents: 250000, expected_minutes_per_week: 90 } }, from: '2025-12-01',
    to: '2026-11-29', product: '02A12', base: { provider: '41410002' }, staff: 'm-0202',
  }).weekly('2025-12-02', '2026-03-10', (week) => 80 + (week % 3) * 10);
  new Care(list, 'c-gijs', 'WMO-7001', {
    terms: { Task: {} }, from: '2025-04-14', to: '2026-04-12', product: '02A12', care: 'INTENSIVE',
  }).weekly('2025-12-01', '2026-03-09', () => 60);
  new Care(list, 'c-hans', 'WMO-8001', { terms: yearly(6000), from: '2026-01-01', to: '2026-12-31' })
    .weekly('2026-01-05', '2026-01-30', () => 120);
}

/* Budgets that stand just below a threshold, for what a test feeds while the page is open. */
export const LIVE_CASES = 12;
const liveBase = (number) => ({
  municipality: '0363', client: `c-live-${number}`, decision: `WMO-${4001 + number}`, provider: '41410004',
});

function live(list) {
  for (let number = 0; number < LIVE_CASES; number++) {
    const base = liveBase(number);
    const care = new Care(list, base.client, base.decision, {
      terms: yearly(2400), from: '2026-01-01', to: '2026-12-31', base, staff: 'm-0401',
    });
    care.line('2026-02-16', 300);
  }
}

/* Seventy percent of the budget at once, over two days: it runs low. */
export function liveEvent(number, line = 'LIVE-1', on = '2026-03-13') {
  return {
    topic: 'declarations',
    value: {
      event_id: eventId(), recorded_at: at(addDays(on, 1), '10:00'), ...liveBase(number), line, kind: 'DEBIT', corrects: null,
      performed_on: on, performed_until: addDays(on, 1), started_at: null, minutes: 1700, staff: null,
    },
  };
}

/* A visit at the time of another: a signal that comes while the page is open. */
export function liveSignal(line) {
  return {
    topic: 'declarations',
    value: {
      event_id: eventId(), recorded_at: at('2026-03-15', '10:00'), municipality: '0363', client: 'c-ina', decision: 'WMO-9001',
      provider: NOTED_PROVIDER, line, kind: 'DEBIT', corrects: null, performed_on: '2026-03-13', performed_until: null,
      started_at: at('2026-03-13', '09:00'), minutes: 60, staff: NOTED_STAFF,
    },
  };
}

/*
 * For measuring, not for looking: `decision` has an overdue evaluation and a budget of a minute a day, `evaluation`
 * resolves its alert, `line` opens another one.
 */
export function measured(number) {
  const list = [];
  const care = new Care(list, `c-delay-${number}`, `DELAY-${number}`, { terms: pxq(1, 'DAY'), from: '2025-12-01', months: [3] });
  care.evaluated('2026-03-02');
  care.line('2026-03-14', 2);
  const [decision, evaluation, line] = list;
  return { decision, evaluation, line };
}

function signals(list) {
  const base = { provider: NOTED_PROVIDER };
  const ina = new Care(list, 'c-ina', 'WMO-9001', {
    terms: pxq(2400, 'FOUR_WEEKS'), from: '2025-12-01', to: '2026-11-30', base, staff: NOTED_STAFF,
  });
  ina.weekly('2025-12-05', '2026-03-13', () => 120);
  // The same visit declared twice, under other line numbers.
  ina.line('2026-01-09', 120);
  ina.line('2026-02-06', 120);
  // Visits at the same time by somebody else.
  ina.line('2026-01-16', 90, { staff: 'm-0911', started_at: at('2026-01-16', '09:30') });
  ina.line('2026-02-13', 60, { staff: 'm-0911', started_at: at('2026-02-13', '10:00') });
  // An appointment that was not kept, and declared.
  ina.noShow('2026-02-24');
  ina.line('2026-02-24', 60, { started_at: at('2026-02-24', '13:00') });
  ina.line('2026-03-03', 780, { started_at: at('2026-03-03', '07:00') });
  ina.line('2025-12-08', 60, { started_at: at('2025-12-08', '13:00'), recorded_at: at('2026-03-14', '10:00') });
  ina.line('2026-03-10', 60, { started_at: at('2026-03-10', '14:00'), recorded_at: at('2026-03-02', '10:00') });
  ina.line('2025-11-20', 60);
  ina.line('2026-01-22', 60, { provider: '41410002', started_at: at('2026-01-22', '15:00') });
  ina.line('2026-01-27', 60, { decision: 'WMO-9999', started_at: at('2026-01-27', '15:00') });
  // Lines that are taken back: once as it should be and declared anew, then in the ways that do not fit.
  const wrong = ina.line('2026-01-29', 240, { started_at: at('2026-01-29', '13:00') });
  ina.credit(wrong, '2026-01-29', 240);
  ina.line('2026-01-29', 120, { started_at: at('2026-01-29', '13:00'), recorded_at: at('2026-02-06', '11:00') });
  ina.credit(wrong, '2026-01-29', 240, { recorded_at: at('2026-02-10', '10:00') });
  const kept = ina.line('2026-02-18', 90, { started_at: at('2026-02-18', '13:00') });
  ina.credit(kept, '2026-02-18', 60);
  ina.credit('L999', '2026-02-19', 45);
  // The same line again, with other minutes.
  ina.line('2026-02-20', 120, { line: 'L012', minutes: 150, recorded_at: at('2026-02-25', '10:00') });
  // Another client of the same provider.
  const joop = new Care(list, 'c-joop', 'WMO-9002', { terms: pxq(600, 'MONTH'), from: '2025-12-01', to: '2026-11-30', base, staff: NOTED_STAFF });
  joop.weekly('2025-12-03', '2026-03-11', () => 90);
  joop.line('2026-02-04', 90);
  joop.line('2026-02-25', 800, { started_at: at('2026-02-25', '13:00') });
  joop.decide({ terms: pxq(660, 'MONTH'), from: '2025-12-01', to: '2026-11-30' });
}

/* Names as long as they may be, without a place to break. */
export const LONG = { client: `c-${'lange'.repeat(12)}`, decision: `A-${'0123456789'.repeat(6)}`, staff: `m-${'medewerker'.repeat(6)}` };

function longNames(list) {
  const care = new Care(list, LONG.client, LONG.decision, {
    terms: pxq(240, 'WEEK'), from: '2025-12-26', to: '2026-12-25', months: [3], staff: LONG.staff,
  });
  care.weekly('2025-12-30', '2026-03-10', () => 180);
  care.line('2026-02-24', 900, { started_at: at('2026-02-24', '13:00') });
}

/* Municipality 0518, whose decisions bear the names of 0363's. */
function neighbour(list) {
  const base = { municipality: '0518', provider: '41410005' };
  new Care(list, 'c-zoe', 'WMO-1001', { terms: pxq(180, 'WEEK'), from: '2025-11-03', to: '2026-11-01', months: [3], base, staff: 'm-0501' })
    .weekly('2025-11-05', '2026-03-11', (week) => (week % 5 === 4 ? 0 : 150))
    .noShow('2025-12-03')
    .noShow('2026-01-07');
  const yara = new Care(list, 'c-yara', 'WMO-1010', { terms: yearly(5200), from: '2026-01-01', to: '2026-12-31', base, staff: 'm-0502' });
  yara.weekly('2026-01-06', '2026-03-10', () => 420);
  yara.line('2026-02-03', 420);
}

/* The same list every time it is called first. */
export function events() {
  const list = [];
  evaluations(list);
  pools(list);
  live(list);
  signals(list);
  neighbour(list);
  longNames(list);
  return list;
}
