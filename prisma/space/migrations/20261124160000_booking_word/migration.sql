-- A use is registered once book and payment agree, the search by free time and by text uses indexes,
-- and rows of slots that ended are removed. The previous release runs on this schema: it writes NULL
-- into the new columns.

-- AlterTable
ALTER TABLE "occupied_slot" ADD COLUMN     "payment_id" UUID,
ADD COLUMN     "status" TEXT;

-- DropIndex
DROP INDEX "occupied_slot_space_id_start_at_idx";

-- For the removal of slots that ended.
-- CreateIndex
CREATE INDEX "occupied_slot_end_at_idx" ON "occupied_slot"("end_at");

-- For the search by free time: one probe for each space.
CREATE INDEX "occupied_slot_live" ON "occupied_slot"
    USING gist ("space_id", tstzrange("start_at", "end_at", '[)')) WHERE "live";

-- All pieces of one and two characters. A text that occurs in another has no pieces that the other
-- lacks; trigrams would leave out the short words that Korean is made of.
CREATE FUNCTION "text_pieces"("text" TEXT) RETURNS TEXT[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    WITH characters AS (
        SELECT c, lead(c) OVER (ORDER BY n) AS next
          FROM string_to_table("text", NULL) WITH ORDINALITY AS t (c, n))
    SELECT coalesce(array_agg(DISTINCT piece), '{}')
      FROM (SELECT c FROM characters UNION ALL
            SELECT c || next FROM characters WHERE next IS NOT NULL) p (piece)
$$;

CREATE INDEX "space_text" ON "space"
    USING gin ("text_pieces"(lower("name" || E'\n' || "description" || E'\n' || "address")));
