-- Of an audit entry that is written nothing changes but who acted, and that only into the pseudonym of
-- an erased customer, by a transaction that says that it erases.
CREATE OR REPLACE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('spacerent.erasing_customer', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION "refuse_other_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.user_id ~ '^erased-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
       AND to_jsonb(NEW) - 'user_id' = to_jsonb(OLD) - 'user_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: erasure replaces customers alone'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER "audit_entry_erasure" BEFORE UPDATE ON "audit_entry"
    FOR EACH ROW EXECUTE FUNCTION "refuse_other_audit_change"();

ALTER TABLE "audit_entry" ENABLE ALWAYS TRIGGER "audit_entry_erasure";
