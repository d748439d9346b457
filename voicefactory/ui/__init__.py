"""The page: a skin over the pipeline and the jobs. Nothing outside this folder imports gradio."""
