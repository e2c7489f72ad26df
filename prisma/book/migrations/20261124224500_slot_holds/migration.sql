-- All that occupies a space's time, in a table of its own: today the slots of bookings, later host blocks
-- and the second slot of a booking that is being rescheduled.
-- compatible: triggers of "booking" write the holds, whichever release writes the booking. A release that
-- wrote them itself would leave the bookings of the previous one, which runs next to it during a rollout,
-- without a hold. "booking_no_overlap" stays until no release relies on it; where every live booking has its
-- hold, both constraints refuse the same bookings.

-- CreateTable
CREATE TABLE "slot_hold" (
    "id" BIGSERIAL NOT NULL,
    "space_id" UUID NOT NULL,
    "owner_id" UUID NOT NULL,
    "booking_id" UUID,
    "start_at" TIMESTAMPTZ(3) NOT NULL,
    "end_at" TIMESTAMPTZ(3) NOT NULL,
    "live" BOOLEAN NOT NULL,

    CONSTRAINT "slot_hold_pkey" PRIMARY KEY ("id")
);

ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_slot_order" CHECK ("start_at" < "end_at");

-- The owner of a hold with a booking is that booking; a hold without one belongs to something else.
ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_owner" CHECK ("booking_id" = "owner_id");

-- Writes the hold before the booking, and no booking without it: a request that waits for a concurrent one
-- waits at the hold's constraint, where it has not written a row yet, so no deadlock can form. A plain insert
-- of the hold after the booking would raise an error, where ON CONFLICT DO NOTHING promises none.
CREATE FUNCTION "booking_insert_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- ON CONFLICT skips the booking only after this trigger: a hold written here would stay behind.
    IF EXISTS (SELECT FROM "booking" WHERE "id" = NEW."id" OR ("customer_id" = NEW."customer_id"
                                             AND "idempotency_key" = NEW."idempotency_key")) THEN
        RETURN NEW;
    END IF;
    INSERT INTO "slot_hold" ("space_id", "owner_id", "booking_id", "start_at", "end_at", "live")
    VALUES (NEW."space_id", NEW."id", NEW."id", NEW."start_at", NEW."end_at", TRUE)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION "booking_update_hold"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."live" THEN
        INSERT INTO "slot_hold" ("space_id", "owner_id", "booking_id", "start_at", "end_at", "live")
        VALUES (NEW."space_id", NEW."id", NEW."id", NEW."start_at", NEW."end_at", TRUE);
    ELSE
        UPDATE "slot_hold" SET "live" = FALSE WHERE "booking_id" = NEW."id" AND "live";
    END IF;
    RETURN NULL;
END $$;

-- Creating them locks out writers until the commit: the fill below misses no booking. Triggers of one event
-- fire in the order of their names, so this one sees what "booking_inserted" corrects.
CREATE TRIGGER "booking_inserted_hold" BEFORE INSERT ON "booking"
    FOR EACH ROW WHEN (NEW."live") EXECUTE FUNCTION "booking_insert_hold"();

-- After the update, because "booking_status_changed" may correct "live" before it.
CREATE TRIGGER "booking_live_changed" AFTER UPDATE ON "booking"
    FOR EACH ROW WHEN (OLD."live" <> NEW."live") EXECUTE FUNCTION "booking_update_hold"();

INSERT INTO "slot_hold" ("space_id", "owner_id", "booking_id", "start_at", "end_at", "live")
SELECT "space_id", "id", "id", "start_at", "end_at", "live" FROM "booking" ORDER BY "id";

-- No two owners hold a space at the same time; two holds of one owner may overlap, for rescheduling. The
-- predicate cannot depend on the time (now() is not immutable), so stale holds are released by the
-- transaction that needs their slot.
ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_no_overlap"
    EXCLUDE USING gist ("space_id" WITH =, tstzrange("start_at", "end_at", '[)') WITH &&,
                        "owner_id" WITH <>) WHERE ("live");

-- CreateIndex
CREATE INDEX "slot_hold_booking_id_idx" ON "slot_hold"("booking_id");

-- Deferred, because the hold is written first. It also refuses a hold whose booking is not written in the
-- end.
-- AddForeignKey
ALTER TABLE "slot_hold" ADD CONSTRAINT "slot_hold_booking_id_fkey" FOREIGN KEY ("booking_id")
    REFERENCES "booking"("id") ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;
