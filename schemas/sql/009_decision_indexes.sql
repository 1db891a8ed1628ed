-- A decision leads to its clients by its versions, and everything else is looked for by client. Nothing asks for the
-- no-shows and evaluations of a known decision, so that these indexes only cost: a third of what a no-show's row does.
DROP INDEX urenwacht_data.no_show_fact_decision;
DROP INDEX urenwacht_data.evaluation_fact_decision;
