-- One person alone puts an order's first version in force, never a later one: else they could renew their own
-- entry for ever, or replace what two people approved. Rows from before this rule stay as they were recorded.
ALTER TABLE order_approval ADD CONSTRAINT order_approval_emergency_first
    CHECK (approval_kind <> 'EMERGENCY' OR version = 1) NOT VALID;
