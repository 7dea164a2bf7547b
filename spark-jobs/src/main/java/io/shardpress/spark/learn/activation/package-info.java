/** Static scales of activations, keys and values. */
package io.shardpress.spark.learn.activation;
