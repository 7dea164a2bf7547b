/**
 * What tests compare with: tensors of files, golden numbers with the model they belong to, numeric
 * gradients, measures of error. No expected value comes from the code under test.
 */
package io.shardpress.kernels.reference;
