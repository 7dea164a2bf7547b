/**
 * Schemas of the Arrow tables that Shardpress shows and stores. Filling them is done where the data
 * comes from.
 */
package io.shardpress.schemas.arrow;
