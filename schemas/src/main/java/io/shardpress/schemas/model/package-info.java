/**
 * Model families: what config.json says of a model, and which tensors of which shapes it then has.
 * The arithmetic of their blocks lives in kernels.
 */
package io.shardpress.schemas.model;
