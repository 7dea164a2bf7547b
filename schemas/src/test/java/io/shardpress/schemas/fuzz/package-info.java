/**
 * What the fuzzers share: seeded cases with limits of memory and time, damage to JSON, and a strict
 * reading of JSON that is none of the product's. Nothing here knows what is being read.
 */
package io.shardpress.schemas.fuzz;
