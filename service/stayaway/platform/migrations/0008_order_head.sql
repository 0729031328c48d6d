-- Heads move under the registry's lock, which others wait for. An import that changes 20,000 orders spent most
-- of that on looking up the change of each head, one and the same, and on finding room for the moved rows. The
-- change is inserted by the transaction that moves them (orders/change.py), and no change is ever removed.
ALTER TABLE order_head DROP CONSTRAINT order_head_change_number_fkey;
ALTER TABLE order_head SET (fillfactor = 50);
