"""Build the site, serve it, and answer those who write it.

``site``           the whole site, with MkDocs
``place``          where it is put
``options``        what a site tells the extension
``plugin``         what MkDocs does beside rendering
``hooks``          the same, as ``mkdocs.yml`` names it
``rendered``       a page between its rendering and its writing
``elsewhere``      pages that plugins have put into other files
``faults``         what a setting, a hook or a front matter has wrong
``messages``       what MkDocs warns of, as messages of ours
``notebooks``      notebooks as pages, which mkdocs-jupyter renders
``notebook_view``  and which are tidied
``take_home``      what readers take home, put into the site
``kept``           what takes long to make, kept until it changes
``search``         what the search need not read
``templates``      the theme's, kept compiled and sooner listed
``author``         run one page; check without running
``preview``        builds again and again while the site is served
``reads``          which files a build reads, to be followed as well
``serve``          the development server
``headers``        and what it answers with each page
"""
