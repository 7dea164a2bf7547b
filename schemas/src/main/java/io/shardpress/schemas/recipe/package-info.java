/**
 * What a user asks for: schemes, targets, learners and their settings, in llm-compressor's YAML.
 * Nothing here knows a model, a tensor or an algorithm's arithmetic.
 */
package io.shardpress.schemas.recipe;
