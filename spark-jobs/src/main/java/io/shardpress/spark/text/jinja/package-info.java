/**
 * Jinja templates as chat templates use them, by Jinja2's rules and with the settings that
 * Transformers gives it. A template comes with a model and is not trusted: nothing of Java's can be
 * reached from one, and steps, texts and nesting are limited.
 */
package io.shardpress.spark.text.jinja;
