"""The human face: Django behind the same port, base templates, components, static files, locale.

Django is reached through its WSGI handler in a thread pool of its own (``wsgi.py``), never through
its ASGI handler, and reaches the asynchronous kernel through one bridge (``bridge.py``).
"""
