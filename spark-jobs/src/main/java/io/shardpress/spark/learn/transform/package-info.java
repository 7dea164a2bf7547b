/** SmoothQuant and AWQ: modifiers that change weights before they are quantized. */
package io.shardpress.spark.learn.transform;
