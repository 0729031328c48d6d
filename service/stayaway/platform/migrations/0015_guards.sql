-- What guards the tables looks at no other tables than these (deploy/adr/0016-append-only.md): a session's own temporary
-- table comes before all others of its name, unless a function names pg_temp itself, last. Each function of ours does;
-- tests/contract/test_functions.py goes through the catalogue.
ALTER FUNCTION refuse_change() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION refuse_approval_by_a_writer() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION refuse_confirmation_by_a_writer() SET search_path = pg_catalog, public, pg_temp;
